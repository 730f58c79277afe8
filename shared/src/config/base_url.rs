//! Base URLs of providers: read strictly, so that what is checked is what is connected to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::address::is_public;

/// An absolute `http` or `https` URL without user information, query or fragment. The scheme and
/// host are in lower case, and there is no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseUrl {
    text: String,
    https: bool,
    host: Host,
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name in lower case.
    Name(String),
    /// A literal address.
    Address(IpAddr),
}

/// Why a base URL was refused. Carries nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUrlError {
    /// Not an absolute `http` or `https` URL in plain ASCII.
    NotAUrl,
    /// A user name or password before the host.
    UserInfo,
    /// A `?` or `#` part.
    QueryOrFragment,
    /// No host, or one that is neither a DNS name nor an address in its usual notation.
    BadHost,
    /// A port that is no number from 1 to 65535.
    BadPort,
    /// Plain `http` to a host other than localhost.
    NotHttps,
    /// A private, loopback, link-local or reserved host of a provider that is not marked local.
    NotPublic,
}

impl BaseUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host to connect to.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The URL, if a provider on the public internet may have it.
    ///
    /// # Errors
    /// [`BaseUrlError::NotHttps`] or [`BaseUrlError::NotPublic`]. A name is judged again by the
    /// addresses it resolves to when the gateway connects.
    pub fn public(self) -> Result<BaseUrl, BaseUrlError> {
        match &self.host {
            _ if self.is_localhost() => Err(BaseUrlError::NotPublic),
            Host::Address(address) if !is_public(*address) => Err(BaseUrlError::NotPublic),
            _ if !self.https => Err(BaseUrlError::NotHttps),
            _ => Ok(self),
        }
    }

    /// The URL, if a provider marked local may have it.
    ///
    /// # Errors
    /// [`BaseUrlError::NotHttps`]: only localhost may be reached without encryption.
    pub fn local(self) -> Result<BaseUrl, BaseUrlError> {
        match self.https || self.is_localhost() {
            true => Ok(self),
            false => Err(BaseUrlError::NotHttps),
        }
    }

    fn is_localhost(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Address(address) => *address == Ipv4Addr::LOCALHOST || *address == Ipv6Addr::LOCALHOST,
        }
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    /// # Errors
    /// See [`BaseUrlError`]; reachability is judged by [`BaseUrl::public`] and [`BaseUrl::local`].
    fn from_str(text: &str) -> Result<BaseUrl, BaseUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(BaseUrlError::NotAUrl)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(BaseUrlError::NotAUrl),
        };
        if rest.contains(['?', '#']) {
            return Err(BaseUrlError::QueryOrFragment);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(BaseUrlError::UserInfo);
        }
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if text.len() > 2048 || !text.bytes().all(allowed) {
            return Err(BaseUrlError::NotAUrl);
        }
        let (host, port) = split_port(authority)?;
        let host = read_host(host)?;
        let scheme = if https { "https" } else { "http" };
        let text = format!("{scheme}://{host}{port}{}", path.trim_end_matches('/'));
        Ok(BaseUrl { text, https, host })
    }
}

/// The host, and the port with its colon, which is empty when there is none.
fn split_port(authority: &str) -> Result<(&str, &str), BaseUrlError> {
    let after_v6 = match (authority.starts_with('['), authority.find(']')) {
        (true, Some(end)) => end + 1,
        (true, None) => return Err(BaseUrlError::BadHost),
        (false, _) => 0,
    };
    let Some(colon) = authority[after_v6..].find(':') else {
        return Ok((authority, ""));
    };
    let (host, port) = authority.split_at(after_v6 + colon);
    let digits = &port[1..];
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u16>() {
        Ok(1..) if all_digits => Ok((host, port)),
        _ => Err(BaseUrlError::BadPort),
    }
}

fn read_host(host: &str) -> Result<Host, BaseUrlError> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| BaseUrlError::BadHost)?;
        return Ok(Host::Address(address.into()));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let name = host.to_ascii_lowercase();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(letter);
    let last = name.rsplit('.').next().unwrap_or_default();
    // URL parsers read a host that ends in a number as IPv4 in odd notations, 127.1 or 0x7f000001,
    // so such a host could be checked as a name and connected to as an address.
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    match name.len() <= 253 && name.split('.').all(label) && !numeric {
        true => Ok(Host::Name(name)),
        false => Err(BaseUrlError::BadHost),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for BaseUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BaseUrlError::NotAUrl => "must be an absolute URL such as https://api.example.com/v1",
            BaseUrlError::UserInfo => "must not carry a user name or password; use a secret",
            BaseUrlError::QueryOrFragment => "must not carry a query or fragment",
            BaseUrlError::BadHost => "must name a host or a plain IP address",
            BaseUrlError::BadPort => "must have a port from 1 to 65535",
            BaseUrlError::NotHttps => "must be https unless the host is localhost",
            BaseUrlError::NotPublic => {
                "leads to a private, loopback or reserved address, which takes \"local\": true"
            }
        })
    }
}

impl std::error::Error for BaseUrlError {}

#[cfg(test)]
#[path = "base_url_tests.rs"]
mod tests;
