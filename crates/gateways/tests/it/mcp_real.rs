//! A real MCP server from another project.

use crate::mcp_server::{asking, egress};
use axum::Router;
use domain::{agent::Transport, tool_request::ToolAnswer};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Orders;

impl ServerHandler for Orders {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = Arc::new(json!({"type": "object"}).as_object().unwrap().clone());
        let second = page.and_then(|page| page.cursor).is_some();
        let name = if second { "cancel" } else { "find" };
        let mut list = ListToolsResult::with_all_items(vec![Tool::new(name, "an order", schema)]);
        list.next_cursor = (!second).then(|| "2".into());
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match call.name.as_ref() {
            "find" => Ok(CallToolResult::structured(json!({"asked": call.arguments})).into()),
            "cancel" => Ok(CallToolResult::error(vec![ContentBlock::text("it was sent")]).into()),
            _ => Err(ErrorData::invalid_params("no such tool", None)),
        }
    }
}

async fn serve(config: StreamableHttpServerConfig) -> String {
    let service = StreamableHttpService::new(|| Ok(Orders), Arc::new(LocalSessionManager::default()), config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let router = Router::new().nest_service("/mcp", service);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn real_server_works_with_and_without_sessions() {
    let stateless = || StreamableHttpServerConfig::default().with_legacy_session_mode(false);
    for config in [StreamableHttpServerConfig::default(), stateless(), stateless().with_json_response(true)] {
        let url = serve(config).await;
        let ask = |tool| asking(url.clone(), Transport::StreamableHttp, tool);
        let tool = |name| json!({"name": name, "description": "an order", "schema": {"type": "object"}});
        let content = json!([tool("find"), tool("cancel")]);
        let answered = |content| ToolAnswer::Answered { status: 200, content, truncated: false };
        assert_eq!(egress().send(&ask(None)).await, answered(content));
        assert_eq!(egress().send(&ask(Some("find"))).await, answered(json!({"asked": {"a": 1}})));
        for (tool, code, message) in
            [("cancel", "tool_error", "it was sent"), ("other", "mcp_error", "-32602: no such tool")]
        {
            let failed = ToolAnswer::Failed { code: code.into(), message: message.into() };
            assert_eq!(egress().send(&ask(Some(tool))).await, failed);
        }
    }
}
