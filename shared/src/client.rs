//! The one HTTP client: providers and AWS go through it, and roots are parsed once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::is_public;

/// Frozen functions lose their connections without being told, so idle ones are not kept long.
const IDLE: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(3);

/// Which addresses a client may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only, checked after the name was resolved, so that a name cannot be bent
    /// to an inside address.
    Public,
    /// Any: for AWS endpoints and for providers the operator marked local.
    Any,
}

/// Builds a client. Redirects are never followed: a provider has no reason to send one.
///
/// # Errors
/// When the TLS configuration is refused.
pub fn client(reach: Reach) -> Result<reqwest::Client, reqwest::Error> {
    client_with(reach, tls(public_roots()))
}

pub(crate) fn client_with(
    reach: Reach,
    tls: rustls::ClientConfig,
) -> Result<reqwest::Client, reqwest::Error> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(Duration::from_secs(15))
        .tcp_nodelay(true)
        .no_proxy();
    match reach {
        Reach::Any => builder.build(),
        Reach::Public => builder.dns_resolver(Arc::new(PublicOnly)).build(),
    }
}

fn public_roots() -> rustls::RootCertStore {
    rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// TLS that trusts the public roots, and the owners of the certificates in `pem`.
///
/// # Errors
/// When something in `pem` is no certificate.
#[cfg(feature = "wire")]
pub(crate) fn tls_trusting(pem: &[u8]) -> Result<rustls::ClientConfig, String> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    let mut roots = public_roots();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(tls(roots))
}

fn tls(roots: rustls::RootCertStore) -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The system's resolver, less every address that is not public.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            match public.is_empty() {
                true => Err(format!("{} has no public address", name.as_str()).into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// The error and its causes on one line; an error's own text leaves its cause out.
#[cfg(any(feature = "aws", feature = "wire"))]
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
