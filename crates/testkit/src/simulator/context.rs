//! The context of a simulated node: real parts, with the model, Meta and tools replaced.

use super::{
    chance::Chance,
    model, sends,
    traffic::{APP_SECRET, PHONE_NUMBER, PHONE_NUMBER_ID, TRACKING_KEY, WINDOW},
    world::World,
};
use domain::chat::ModelChoice;
use futures::future::BoxFuture;
use gateways::{
    InProcess,
    egress::Egress,
    llm::{InProcessModel, Provider},
    whatsapp::GraphClient,
};
use runtime::{Context, InFlight, Parts, Randomness, Sandbox, feed::Feed};
use secrecy::SecretString;
use std::sync::{Arc, Mutex};
use store::{Store, secrets::Vault};

/// Creates a node's context.
pub(super) fn context(world: &World, store: &Store, node: usize, name: &str, chance: Chance) -> Context {
    let chance = Mutex::new(chance);
    let (meta_world, model_world, tool_world) = (world.clone(), world.clone(), world.clone());
    let model = move |(request, effect): (domain::chat::ModelRequest, String)| -> BoxFuture<'static, _> {
        model::ask(model_world.clone(), &request, &effect)
    };
    let choice = ModelChoice { provider: "InProcess".to_owned(), model: "simulated".to_owned() };
    Context::new(Parts {
        store: store.clone(),
        clock: world.clock.clone(),
        randomness: Randomness::Given(Arc::new(move |bytes| chance.lock().expect("no panic").fill(bytes))),
        model: Provider::InProcess(InProcessModel::new(choice, InProcess::new(model))).into(),
        graph: GraphClient::in_process(InProcess::new(move |posted| sends::send(meta_world.clone(), node, &posted))),
        egress: Egress::in_process(InProcess::new(move |request| model::serve(tool_world.clone(), &request))),
        vault: Vault::new([9; 32], "simulated"),
        tracking_key: TRACKING_KEY,
        public_url: None,
        app_secrets: vec![SecretString::from(APP_SECRET)],
        verify_token: None,
        sandbox: Some(Sandbox {
            phone_number_id: PHONE_NUMBER_ID.into(),
            phone_number: PHONE_NUMBER.into(),
            access_token: SecretString::from("simulated-token"),
        }),
        reconcile_window: WINDOW,
        node: name.into(),
        in_flight: InFlight::default(),
        project_turns: 50,
        feed: Feed::default(),
    })
}
