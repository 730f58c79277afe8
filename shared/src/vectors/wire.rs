//! Connections to servers that speak no HTTP: over our TLS, made when needed and again when broken.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Reached;
use crate::client::tls_trusting;
use crate::ports::StoreError;

const CONNECT: Duration = Duration::from_secs(3);
/// The finder has a budget of its own; this is for what nobody else bounds.
const OPERATION: Duration = Duration::from_secs(10);

/// Bytes both ways, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The way to a server.
#[derive(Clone)]
pub(super) struct Way {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: Option<TlsConnector>,
}

impl Way {
    /// `protocol` is what TLS announces, where the server wants to know.
    ///
    /// # Errors
    /// When the host is no name, or the authorities are no certificates.
    pub(super) fn new(reached: &Reached, port: u16, protocol: Option<&[u8]>) -> Result<Self, String> {
        let host = reached.host();
        let name = ServerName::try_from(host.clone()).map_err(|error| error.to_string())?;
        let tls = match reached.url.tls {
            false => None,
            true => {
                let mut config = tls_trusting(&reached.authorities)?;
                config.alpn_protocols = protocol.map(<[u8]>::to_vec).into_iter().collect();
                Some(TlsConnector::from(Arc::new(config)))
            }
        };
        Ok(Way { host, port: reached.url.port.unwrap_or(port), name, tls })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// A connection without TLS.
    pub(super) async fn tcp(&self) -> io::Result<TcpStream> {
        let connected = timeout(CONNECT, TcpStream::connect((self.host.as_str(), self.port))).await;
        let stream = connected.map_err(|_| late("connection"))??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// TLS over a connection.
    pub(super) async fn encrypt(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let tls = self.tls.as_ref().ok_or_else(|| io::Error::other("the URL asks for no encryption"))?;
        timeout(CONNECT, tls.connect(self.name.clone(), stream)).await.map_err(|_| late("handshake"))?
    }

    /// A connection as the URL asks for it.
    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = self.tcp().await?;
        match self.is_encrypted() {
            true => Ok(Box::new(self.encrypt(stream).await?)),
            false => Ok(Box::new(stream)),
        }
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the {what} took more than {} s", CONNECT.as_secs()))
}

/// Why a piece of work failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said no.
    Refused(String),
    /// The connection is of no use any more.
    Broken(String),
}

/// Makes connections.
#[async_trait]
pub(super) trait Dial: Send + Sync {
    type Connection: Clone + Send;
    async fn dial(&self) -> Result<Self::Connection, Failure>;
}

/// One connection for all. A frozen function loses it without being told, so work over a connection
/// that breaks is done once more over a new one: everything a store is asked may be repeated.
pub(super) struct Line<D: Dial> {
    dial: D,
    open: Mutex<Option<D::Connection>>,
}

impl<D: Dial> Line<D> {
    pub(super) fn new(dial: D) -> Self {
        Line { dial, open: Mutex::new(None) }
    }

    pub(super) async fn run<T, W>(&self, work: impl Fn(D::Connection) -> W) -> Result<T, StoreError>
    where
        W: Future<Output = Result<T, Failure>>,
    {
        loop {
            let (connection, is_new) = self.connection().await?;
            let why = match timeout(OPERATION, work(connection)).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(Failure::Refused(why))) => return Err(StoreError::Rejected(why)),
                Ok(Err(Failure::Broken(why))) => why,
                Err(_) => format!("no answer within {} s", OPERATION.as_secs()),
            };
            self.open.lock().await.take();
            if is_new {
                return Err(StoreError::NoReply(why));
            }
        }
    }

    /// The connection, and whether it was made now.
    async fn connection(&self) -> Result<(D::Connection, bool), StoreError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &*open {
            return Ok((connection.clone(), false));
        }
        let connection = self.dial.dial().await.map_err(|failure| match failure {
            // Nothing was sent yet but who we are.
            Failure::Refused(why) | Failure::Broken(why) => StoreError::Rejected(why),
        })?;
        *open = Some(connection.clone());
        Ok((connection, true))
    }
}
