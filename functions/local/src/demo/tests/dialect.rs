//! The three dialects as their clients speak them, so that one test covers all.

use serde_json::{Value, json};

use super::Provider;
use super::client::{self, Received};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Chat,
    Messages,
    Converse,
}

pub(super) const DIALECTS: [Dialect; 3] = [Dialect::Chat, Dialect::Messages, Dialect::Converse];

/// A request with a prompt of four words.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) dialect: Dialect,
    pub(super) path: String,
    pub(super) body: Value,
}

impl Dialect {
    pub(super) fn headers(self) -> &'static str {
        match self {
            Self::Chat => "",
            Self::Messages => "x-api-key: demo\r\nanthropic-version: 2023-06-01\r\n",
            Self::Converse => "authorization: AWS4-HMAC-SHA256 Credential=demo\r\n",
        }
    }

    pub(super) fn plain(self, model: &str) -> Ask {
        let (path, body) = match self {
            Self::Chat => ("/v1/chat/completions".to_owned(), super::request(model)),
            Self::Messages => {
                let said = json!([{ "role": "user", "content": "one two three four" }]);
                let body = json!({ "model": model, "max_tokens": 1024, "messages": said });
                ("/v1/messages".to_owned(), body)
            }
            Self::Converse => {
                let said = json!([{ "role": "user", "content": [{ "text": "one two three four" }] }]);
                (format!("/model/{model}/converse"), json!({ "messages": said }))
            }
        };
        Ask { dialect: self, path, body }
    }

    pub(super) fn stream(self, model: &str) -> Ask {
        let mut ask = self.plain(model);
        match self {
            Self::Chat => ask.body = super::streamed(model),
            Self::Messages => ask.body["stream"] = json!(true),
            Self::Converse => ask.path.push_str("-stream"),
        }
        ask
    }

    /// Asks for `model` plain and streamed, both at once.
    pub(super) async fn both(self, provider: &Provider, model: &str) -> [Received; 2] {
        let (plain, stream) = (self.plain(model), self.stream(model));
        let (plain, stream) = tokio::join!(plain.send(provider), stream.send(provider));
        [plain, stream]
    }
}

impl Ask {
    pub(super) async fn send(&self, provider: &Provider) -> Received {
        client::read_to_end(self.open(provider).await).await
    }

    pub(super) async fn open(&self, provider: &Provider) -> tokio::net::TcpStream {
        let (headers, body) = (self.dialect.headers(), self.body.to_string());
        client::open_with(provider.address, "POST", &self.path, headers, &body).await
    }

    pub(super) fn limit(mut self, tokens: usize) -> Self {
        match self.dialect {
            Dialect::Chat | Dialect::Messages => self.body["max_tokens"] = json!(tokens),
            Dialect::Converse => self.body["inferenceConfig"] = json!({ "maxTokens": tokens }),
        }
        self
    }

    pub(super) fn system(mut self, text: &str) -> Self {
        match self.dialect {
            Dialect::Chat => {
                let system = json!({ "role": "system", "content": text });
                self.body["messages"].as_array_mut().unwrap().insert(0, system);
            }
            Dialect::Messages => self.body["system"] = json!(text),
            Dialect::Converse => self.body["system"] = json!([{ "text": text }]),
        }
        self
    }

    /// Offers a tool besides those there are.
    pub(super) fn tool(mut self, name: &str, schema: &Value) -> Self {
        let (list, tool) = match self.dialect {
            Dialect::Chat => {
                let function = json!({ "name": name, "parameters": schema });
                ("/tools", json!({ "type": "function", "function": function }))
            }
            Dialect::Messages => ("/tools", json!({ "name": name, "input_schema": schema })),
            Dialect::Converse => {
                let spec = json!({ "name": name, "inputSchema": { "json": schema } });
                ("/toolConfig/tools", json!({ "toolSpec": spec }))
            }
        };
        if self.body.pointer(list).is_none() {
            match self.dialect {
                Dialect::Chat | Dialect::Messages => self.body["tools"] = json!([]),
                Dialect::Converse => self.body["toolConfig"] = json!({ "tools": [] }),
            }
        }
        self.body.pointer_mut(list).unwrap().as_array_mut().unwrap().push(tool);
        self
    }

    pub(super) fn choose(mut self, name: &str) -> Self {
        match self.dialect {
            Dialect::Chat => {
                let function = json!({ "name": name });
                self.body["tool_choice"] = json!({ "type": "function", "function": function });
            }
            Dialect::Messages => self.body["tool_choice"] = json!({ "type": "tool", "name": name }),
            Dialect::Converse => self.body["toolConfig"]["toolChoice"] = json!({ "tool": { "name": name } }),
        }
        self
    }

    /// Goes on with a tool's answer to a call.
    pub(super) fn tool_result(mut self, text: &str) -> Self {
        let (call, result) = match self.dialect {
            Dialect::Chat => {
                let function = json!({ "name": "get_weather", "arguments": "{}" });
                let call = json!([{ "id": "call_1", "type": "function", "function": function }]);
                (
                    json!({ "role": "assistant", "content": null, "tool_calls": call }),
                    json!({ "role": "tool", "tool_call_id": "call_1", "content": text }),
                )
            }
            Dialect::Messages => {
                let call = json!({ "type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {} });
                let result = json!({ "type": "tool_result", "tool_use_id": "toolu_1", "content": text });
                (
                    json!({ "role": "assistant", "content": [call] }),
                    json!({ "role": "user", "content": [result] }),
                )
            }
            Dialect::Converse => {
                let call = json!({ "toolUseId": "tooluse_1", "name": "get_weather", "input": {} });
                let result = json!({ "toolUseId": "tooluse_1", "content": [{ "text": text }] });
                (
                    json!({ "role": "assistant", "content": [{ "toolUse": call }] }),
                    json!({ "role": "user", "content": [{ "toolResult": result }] }),
                )
            }
        };
        self.body["messages"].as_array_mut().unwrap().extend([call, result]);
        self
    }

    /// Wants a document that fits `schema`.
    pub(super) fn schema(mut self, schema: &Value) -> Self {
        match self.dialect {
            Dialect::Chat => {
                let named = json!({ "name": "weather", "schema": schema });
                self.body["response_format"] = json!({ "type": "json_schema", "json_schema": named });
            }
            Dialect::Messages => {
                let format = json!({ "type": "json_schema", "schema": schema });
                self.body["output_config"] = json!({ "format": format });
            }
            Dialect::Converse => {
                let structure = json!({ "jsonSchema": { "schema": schema.to_string() } });
                let format = json!({ "type": "json_schema", "structure": structure });
                self.body["outputConfig"] = json!({ "textFormat": format });
            }
        }
        self
    }
}
