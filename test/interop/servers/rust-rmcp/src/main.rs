//! An MCP server of the Rust library rmcp, over the transport that the arguments name; see ../README.md.

use std::{env, fs::OpenOptions, io::Write, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::*,
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

/// Appends a line to the file that outlives this process.
fn event(name: &str) {
    let path = env::args().nth(3).expect("a file for events");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    writeln!(file, "{name}").unwrap();
}

/// Reads what the library has types for from JSON.
fn of<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("what the protocol knows")
}

/// A result. The newest version wants its type, which the library leaves out for older ones.
fn result<T: serde::de::DeserializeOwned>(mut value: Value) -> T {
    value["resultType"] = json!("complete");
    of(value)
}

fn tool(name: &str, properties: Value, read_only: bool) -> Value {
    let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    let mut tool = json!({ "name": name, "inputSchema": schema });
    if read_only {
        tool["annotations"] = json!({ "readOnlyHint": true });
    }
    tool
}

fn question() -> ElicitRequestParams {
    of(json!({
        "mode": "form",
        "message": "Who are you?",
        "requestedSchema": {
            "type": "object",
            "properties": { "name": { "type": "string" } },
            "required": ["name"],
        },
    }))
}

fn said(text: impl Into<String>) -> Result<CallToolResponse, ErrorData> {
    Ok(CallToolResult::success(vec![ContentBlock::text(text.into())]).into())
}

fn answered(answer: &Value) -> Result<CallToolResponse, ErrorData> {
    match (
        answer["action"].as_str(),
        answer["content"]["name"].as_str(),
    ) {
        (Some("accept"), Some(name)) => said(format!("Hello, {name}")),
        (action, _) => said(action.unwrap_or("no action")),
    }
}

async fn slow(
    steps: u64,
    step_ms: u64,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    event("slow");
    for step in 1..=steps {
        tokio::select! {
            () = context.ct.cancelled() => {
                event("slow cancelled");
                return said("cancelled");
            }
            () = tokio::time::sleep(Duration::from_millis(step_ms)) => {}
        }
        if let Some(token) = context.meta.get_progress_token() {
            let progress = ProgressNotificationParam::new(token, step as f64);
            let _ = context
                .peer
                .notify_progress(progress.with_total(steps as f64))
                .await;
        }
    }
    said("done")
}

#[derive(Clone)]
struct Server;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("rust-rmcp", "1.0.0"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let integer = json!({ "type": "integer" });
        Ok(result(json!({ "tools": [
            tool("echo", json!({ "message": { "type": "string" } }), true),
            tool("slow", json!({ "steps": integer, "stepMs": integer }), true),
            tool("write", json!({ "waitMs": integer }), false),
            tool("fail", json!({}), false),
            tool("broken", json!({}), false),
            tool("ask", json!({}), false),
            tool("ask-in-result", json!({}), false),
        ] })))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let input = Value::Object(request.arguments.unwrap_or_default());
        let number = |name: &str| input[name].as_u64().unwrap_or_default();
        match request.name.as_ref() {
            "echo" => said(format!(
                "Echo: {}",
                input["message"].as_str().unwrap_or_default()
            )),
            "slow" => slow(number("steps"), number("stepMs"), context).await,
            "write" => {
                event("write");
                tokio::time::sleep(Duration::from_millis(number("waitMs"))).await;
                said("written")
            }
            "fail" => Ok(CallToolResult::error(vec![ContentBlock::text("it failed")]).into()),
            "broken" => Err(ErrorData::new(ErrorCode(-32050), "it is broken", None)),
            // Sends the client a request of its own.
            "ask" => match context.peer.create_elicitation(question()).await {
                Ok(answer) => answered(&json!(answer)),
                Err(error) => Err(ErrorData::internal_error(error.to_string(), None)),
            },
            // Asks by its result, and is called again with the answer.
            "ask-in-result" => match request.input_responses {
                Some(responses) => answered(&json!(responses)["who"]),
                None => {
                    let ask = InputRequest::Elicitation(ElicitRequest::new(question()));
                    let asked = InputRequests::from([("who".to_string(), ask)]);
                    Ok(InputRequiredResult::new(Some(asked), None).into())
                }
            },
            name => Err(ErrorData::invalid_params(format!("no tool {name}"), None)),
        }
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let note = json!({ "uri": "note://one", "name": "note", "mimeType": "text/plain" });
        Ok(result(json!({ "resources": [note] })))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let item =
            json!({ "uriTemplate": "item://{id}", "name": "item", "mimeType": "text/plain" });
        Ok(result(json!({ "resourceTemplates": [item] })))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let text = match request.uri.strip_prefix("item://") {
            Some(id) => format!("item {id}"),
            None if request.uri == "note://one" => "a note".to_string(),
            None => return Err(ErrorData::resource_not_found("no such resource", None)),
        };
        let contents = json!([{ "uri": request.uri, "mimeType": "text/plain", "text": text }]);
        Ok(result::<ReadResourceResult>(json!({ "contents": contents })).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let arguments = json!([{ "name": "name", "required": true }]);
        Ok(result(
            json!({ "prompts": [{ "name": "greet", "arguments": arguments }] }),
        ))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let input = json!(request.arguments);
        let text = format!(
            "Say hello to {}",
            input["name"].as_str().unwrap_or_default()
        );
        let content = json!({ "type": "text", "text": text });
        let messages = json!([{ "role": "user", "content": content }]);
        Ok(result::<GetPromptResult>(json!({ "messages": messages })).into())
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (output, port) = (arguments[0].as_str(), arguments[1].as_str());
    if output == "stdio" {
        let running = Server.serve(rmcp::transport::stdio()).await.unwrap();
        running.waiting().await.unwrap();
        return;
    }
    tokio::spawn(async {
        let mut ignored = Vec::new();
        let _ = tokio::io::stdin().read_to_end(&mut ignored).await;
        std::process::exit(0);
    });
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(output == "http")
        .with_json_response(output == "json")
        // It hears of a client that has gone only when it writes.
        .with_sse_keep_alive(Some(Duration::from_millis(100)));
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(|| Ok(Server), sessions, config);
    let router = axum::Router::new().route_service("/mcp", service);
    axum::serve(listener, router).await.unwrap();
}
