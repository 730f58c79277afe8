//! Images that come with the request, as `data:` URLs.

/// The types that every vendor takes.
pub const IMAGE_TYPES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

/// A `data:` URL whose data is base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataUrl<'a> {
    pub media_type: &'a str,
    pub base64: &'a str,
}

impl<'a> DataUrl<'a> {
    /// Reads `data:image/png;base64,...`; nothing else is one.
    pub fn parse(url: &'a str) -> Option<Self> {
        let (head, base64) = url.strip_prefix("data:")?.split_once(',')?;
        let media_type = head.strip_suffix(";base64")?;
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        base64.bytes().all(is_base64).then_some(DataUrl { media_type, base64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_base64_is_read() {
        let image = DataUrl::parse("data:image/png;base64,iVBO+/8=").expect("a data URL");
        assert_eq!((image.media_type, image.base64), ("image/png", "iVBO+/8="));
        for url in [
            "https://x/y.png",
            "data:image/png,abc",
            "data:image/svg+xml;utf8,<svg/>",
            "data:image/png;base64,a b",
        ] {
            assert_eq!(DataUrl::parse(url), None, "{url}");
        }
    }
}
