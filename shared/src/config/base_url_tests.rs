use super::*;

fn read(text: &str) -> Result<BaseUrl, BaseUrlError> {
    text.parse()
}

#[test]
fn a_base_url_is_kept_in_one_form() {
    for (text, kept) in [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("HTTPS://API.Example.com/V1/", "https://api.example.com/V1"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://[2606:4700::1]:8443/x/", "https://[2606:4700::1]:8443/x"),
        ("https://8.8.8.8/", "https://8.8.8.8"),
    ] {
        assert_eq!(read(text).expect(text).as_str(), kept);
    }
}

#[test]
fn what_is_not_a_plain_base_url_is_refused() {
    use BaseUrlError::{BadHost, BadPort, NotAUrl, QueryOrFragment, UserInfo};
    for (text, why) in [
        ("", NotAUrl),
        ("api.openai.com/v1", NotAUrl),
        ("ftp://example.com", NotAUrl),
        ("file:///etc/passwd", NotAUrl),
        ("https://exa mple.com", NotAUrl),
        ("https://example.com\\@evil.com", UserInfo),
        ("https://example.com/a\\b", NotAUrl),
        ("https://example.com\r\nHost: x", NotAUrl),
        ("https://①②⑦.0.0.1", NotAUrl),
        ("https://user:pass@example.com", UserInfo),
        ("https://example.com@169.254.169.254/", UserInfo),
        ("https://example.com/v1?key=1", QueryOrFragment),
        ("https://example.com/v1#x", QueryOrFragment),
        ("https://", BadHost),
        ("https:///v1", BadHost),
        ("https://a..b", BadHost),
        ("https://example.com.", BadHost),
        ("https://127.1/v1", BadHost),
        ("https://0x7f000001", BadHost),
        ("https://2130706433", BadHost),
        ("https://0177.0.0.1", BadHost),
        ("https://1.2.3.4.5", BadHost),
        ("https://[fe80::1%25eth0]/", BadHost),
        ("https://[::1", BadHost),
        ("https://%31%32%37.0.0.1", BadHost),
        ("https://example.com:", BadPort),
        ("https://example.com:0", BadPort),
        ("https://example.com:65536", BadPort),
        ("https://example.com:+80", BadPort),
        ("https://example.com:80:80", BadPort),
    ] {
        assert_eq!(read(text), Err(why), "{text:?}");
    }
}

#[test]
fn only_a_local_provider_may_leave_the_public_internet() {
    use BaseUrlError::{NotHttps, NotPublic};
    for (text, public, local) in [
        ("https://api.openai.com/v1", Ok(()), Ok(())),
        ("https://8.8.8.8", Ok(()), Ok(())),
        ("http://api.openai.com/v1", Err(NotHttps), Err(NotHttps)),
        ("http://8.8.8.8", Err(NotHttps), Err(NotHttps)),
        ("http://localhost:8080/v1", Err(NotPublic), Ok(())),
        ("http://model.localhost", Err(NotPublic), Ok(())),
        ("http://127.0.0.1:1", Err(NotPublic), Ok(())),
        ("http://[::1]:1", Err(NotPublic), Ok(())),
        ("https://127.0.0.1", Err(NotPublic), Ok(())),
        ("http://127.0.0.2", Err(NotPublic), Err(NotHttps)),
        ("https://10.0.0.5/v1", Err(NotPublic), Ok(())),
        ("http://10.0.0.5/v1", Err(NotPublic), Err(NotHttps)),
        ("https://169.254.169.254", Err(NotPublic), Ok(())),
        ("https://[::ffff:10.0.0.1]", Err(NotPublic), Ok(())),
        ("https://[fd00:ec2::254]", Err(NotPublic), Ok(())),
        ("https://[64:ff9b::7f00:1]", Err(NotPublic), Ok(())),
        ("http://localhost.example.com", Err(NotHttps), Err(NotHttps)),
    ] {
        let url = read(text).expect(text);
        assert_eq!(url.clone().public().map(|_| ()), public, "public {text}");
        assert_eq!(url.local().map(|_| ()), local, "local {text}");
    }
}
