//! Calls of Milvus: one message there and one back, over a connection of ours.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::messages::{Collection, Found, LoadState, Outcome, Status};
use crate::client::causes;
use crate::config::StoreUrl;
use crate::ports::StoreError;
use crate::vectors::Reached;
use crate::vectors::wire::{Dial, Failure, Way};

const PORT: u16 = 19530;
/// A hundred payloads of 100 KB, with their vectors, and room to spare.
const ANSWER_MAX: usize = 32 << 20;

pub(super) struct Milvus {
    way: Way,
    endpoint: Endpoint,
    /// Who asks, and in which database: sent with every call.
    headers: Headers,
}

#[derive(Clone, Default)]
struct Headers {
    authorization: Option<MetadataValue<Ascii>>,
    database: Option<MetadataValue<Ascii>>,
}

/// A connection that calls can be made over.
#[derive(Clone)]
pub(super) struct Open {
    grpc: Grpc<Channel>,
    headers: Headers,
}

impl Milvus {
    /// # Errors
    /// When the authorities are no certificates, or the token cannot be sent.
    pub(super) fn new(reached: &Reached) -> Result<Self, String> {
        let way = Way::new(reached, PORT, Some(b"h2"))?;
        // The way encrypts, not the client: the scheme that calls name is no reason for it to do so as well.
        let endpoint = Endpoint::from_static("http://milvus").origin(origin(reached)?);
        let headers = Headers {
            authorization: reached.secret.as_deref().map(|secret| token(&reached.url, secret)).transpose()?,
            database: match reached.url.database.as_str() {
                "" => None,
                database => Some(database.parse().map_err(|_| "the database cannot be sent".to_owned())?),
            },
        };
        Ok(Milvus { way, endpoint, headers })
    }
}

fn origin(reached: &Reached) -> Result<Uri, String> {
    let url = &reached.url;
    let scheme = if url.tls { "https" } else { "http" };
    let origin = format!("{scheme}://{}:{}", reached.authority(), url.port.unwrap_or(PORT));
    origin.parse().map_err(|error| format!("{origin}: {error}"))
}

/// What Milvus takes for the proof of a user: name and password, or a token alone.
fn token(url: &StoreUrl, secret: &str) -> Result<MetadataValue<Ascii>, String> {
    let proof = match &url.user {
        Some(user) => format!("{user}:{secret}"),
        None => secret.to_owned(),
    };
    STANDARD.encode(proof).parse().map_err(|_| "the secret cannot be sent".to_owned())
}

#[async_trait]
impl Dial for Milvus {
    type Connection = Open;

    async fn dial(&self) -> Result<Open, Failure> {
        let way = self.way.clone();
        let connect = service_fn(move |_: Uri| {
            let way = way.clone();
            async move { way.connect().await.map(TokioIo::new) }
        });
        let connected = self.endpoint.connect_with_connector(connect).await;
        let channel = connected.map_err(|error| Failure::Broken(causes(&error)))?;
        let grpc = Grpc::new(channel).max_decoding_message_size(ANSWER_MAX);
        Ok(Open { grpc, headers: self.headers.clone() })
    }
}

impl Open {
    /// Calls a method of `MilvusService`.
    pub(super) async fn call<Q, A>(mut self, method: &'static str, question: Q) -> Result<A, Failure>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.grpc.ready().await.map_err(|error| Failure::Broken(causes(&error)))?;
        let mut request = Request::new(question);
        let headers = [("authorization", self.headers.authorization), ("dbname", self.headers.database)];
        for (name, value) in headers {
            if let Some(value) = value {
                request.metadata_mut().insert(name, value);
            }
        }
        let path = PathAndQuery::try_from(format!("/milvus.proto.milvus.MilvusService/{method}"));
        let path = path.expect("the name of a method is part of a path");
        let answered = self.grpc.unary(request, path, ProstCodec::default());
        answered.await.map(|answer| answer.into_inner()).map_err(|status| failure(&status))
    }
}

fn failure(status: &tonic::Status) -> Failure {
    match status.code() {
        // What the client says by itself when a connection ends, and what a server that goes away says.
        Code::Unknown | Code::Unavailable | Code::Cancelled | Code::Internal => {
            Failure::Broken(causes(status))
        }
        code => Failure::Refused(format!("{code}: {}", status.message())),
    }
}

/// An answer with a status in it.
pub(super) trait Told {
    fn status(&self) -> Option<&Status>;
}

impl Told for Status {
    fn status(&self) -> Option<&Status> {
        Some(self)
    }
}

macro_rules! told {
    ($($answer:ty),+) => {
        $(impl Told for $answer {
            fn status(&self) -> Option<&Status> {
                self.status.as_ref()
            }
        })+
    };
}

told!(Outcome, Collection, Found, LoadState);

/// # Errors
/// [`StoreError::Rejected`] where the answer says that nothing was done.
pub(super) fn accepted<A: Told>(answer: A) -> Result<A, StoreError> {
    match answer.status() {
        Some(status) if status.code != 0 || status.error_code != 0 => {
            let code = if status.code != 0 { status.code } else { status.error_code };
            Err(StoreError::Rejected(format!("{} (code {code})", status.reason)))
        }
        _ => Ok(answer),
    }
}
