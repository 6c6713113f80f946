//! A server of the Rust library rmcp whose tools run as tasks: tasks PORT EVENTS. It prints its port, and
//! ends when its standard input does.

use std::{env, fs::OpenOptions, io::Write, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::*,
    service::RequestContext,
    task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

/// Appends a line to the file that outlives this process.
fn event(name: &str) {
    let path = env::args().nth(2).expect("a file for events");
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

fn tool(name: &str, properties: Value) -> Value {
    let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "name": name, "inputSchema": schema })
}

fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text.into())])
}

async fn work(steps: u64, step_ms: u64, context: TaskContext) -> Result<CallToolResult, TaskExit> {
    event("work");
    for step in 1..=steps {
        context.set_status_message(format!("step {step}"));
        tokio::select! {
            () = context.cancelled() => {
                event("work cancelled");
                return Err(TaskExit::Cancelled);
            }
            () = tokio::time::sleep(Duration::from_millis(step_ms)) => {}
        }
    }
    Ok(text("done"))
}

async fn ask(context: TaskContext) -> Result<CallToolResult, TaskExit> {
    event("ask");
    let question: ElicitRequestParams = of(json!({
        "mode": "form",
        "message": "Who are you?",
        "requestedSchema": {
            "type": "object",
            "properties": { "name": { "type": "string" } },
            "required": ["name"]
        }
    }));
    let request = InputRequest::Elicitation(ElicitRequest::new(question));
    let answer = context.request_input("who", request).await?;
    let name = answer["content"]["name"].as_str().unwrap_or("nobody");
    Ok(text(format!("Hello, {name}")))
}

#[derive(Clone, Default)]
struct Server {
    tasks: TaskManager,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tasks()
            .build();
        ServerConfig::new(capabilities).with_server_info(Implementation::new("rust-rmcp", "1.0.0"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let integer = json!({ "type": "integer" });
        Ok(of(json!({ "resultType": "complete", "tools": [
            tool("echo", json!({ "message": { "type": "string" } })),
            tool("work", json!({ "steps": integer, "stepMs": integer })),
            tool("fail", json!({})),
            tool("broken", json!({})),
            tool("ask", json!({})),
        ] })))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let input = Value::Object(request.arguments.unwrap_or_default());
        if request.name == "echo" {
            let message = input["message"].as_str().unwrap_or_default();
            return Ok(text(format!("Echo: {message}")).into());
        }
        let number = |name: &str| input[name].as_u64().unwrap_or_default();
        let (steps, step_ms) = (number("steps"), number("stepMs"));
        let options = TaskOptions::new().with_poll_interval_ms(200);
        let task = self.tasks.spawn(options, move |context| {
            Box::pin(async move {
                match request.name.as_ref() {
                    "work" => work(steps, step_ms, context).await,
                    "ask" => ask(context).await,
                    "fail" => Ok(CallToolResult::error(vec![ContentBlock::text("it failed")])),
                    _ => Err(ErrorData::new(ErrorCode(-32050), "it is broken", None).into()),
                }
            })
        });
        Ok(CallToolResponse::Task(CreateTaskResult::new(task)))
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks
            .update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }
}

#[tokio::main]
async fn main() {
    let port = env::args().nth(1).expect("a port");
    tokio::spawn(async {
        let mut ignored = Vec::new();
        let _ = tokio::io::stdin().read_to_end(&mut ignored).await;
        std::process::exit(0);
    });
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let server = Server::default();
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let router = axum::Router::new().route_service("/mcp", service);
    axum::serve(listener, router).await.unwrap();
}
