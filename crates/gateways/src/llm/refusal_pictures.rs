//! The refusals of pictures. A model that takes none is given texts from then on; a picture that the
//! server cannot read is left out of later requests.

use super::{
    adaptation::Adaptation,
    refusal_row::{Action, Row},
};

pub(super) const TABLE: &[Row] = &[
    Row {
        class: "pictures",
        dialects: &[],
        statuses: &[400, 404, 415, 422, 500, 501],
        words: &[
            // OpenAI, DeepSeek, Groq.
            "image_url is only supported by certain models",
            "unknown variant `image_url`",
            "untagged enum chatcompletionrequestcontent",
            "invalid type: sequence, expected a string",
            "content must be a string",
            // llama.cpp, Ollama, vLLM.
            "image input is not supported",
            "missing data required for image input",
            "is not a multimodal model",
            "at most 0 image(s)",
            // OpenRouter, Gemini, Mistral and others.
            "endpoints found that support image input",
            "image input modality is not enabled",
            "image input is not enabled",
            "does not support image",
            "not support images",
            "image inputs are not supported",
            "only 'text' content type is supported",
        ],
        action: Action::Adapt(&[Adaptation::Pictures(0)]),
        example: (
            400,
            r#"{"error":{"message":"Invalid content type. image_url is only supported by certain models.","type":"invalid_request_error","param":"messages.[1].content.[1].type","code":null}}"#,
        ),
        source: "https://github.com/browser-use/web-ui/issues/274",
    },
    Row {
        class: "picture_refused",
        dialects: &[],
        statuses: &[400, 413, 415, 422, 500],
        words: &[
            "image(s) may be provided",
            "could not process image",
            "image exceeds",
            "image dimensions exceed",
            "image does not match",
            "unsupported image",
            "invalid_image",
            "image_parse_error",
            "unable to process input image",
            "failed to load image",
            ".image.source",
            "too many images",
        ],
        action: Action::FewerPictures,
        example: (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Could not process image"},"request_id":"req_1"}"#,
        ),
        source: "https://github.com/anthropics/claude-code/issues/8647",
    },
];
