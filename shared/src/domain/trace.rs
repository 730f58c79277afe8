//! W3C Trace Context, level 1: who asked, and whether the asking is recorded. Ids are made elsewhere.

use std::fmt;

/// Members of `tracestate` beyond this are not carried on.
const STATE_MEMBERS_MAX: usize = 32;
/// Nor is a list that is longer, in bytes: the recommendation asks for 512 at least.
const STATE_BYTES_MAX: usize = 512;
const SAMPLED: u8 = 1;

/// Sixteen bytes that are not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// Eight bytes that are not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

impl TraceId {
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(TraceId(bytes))
    }

    /// The half that samplers decide by.
    fn low(self) -> u64 {
        self.0[8..].iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

impl SpanId {
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(SpanId(bytes))
    }

    /// The id of a span's own piece of work, as good as random where this one is: each number has another.
    pub fn child(self, number: u64) -> SpanId {
        // An odd factor, so that no two numbers meet.
        let moved = u64::from_be_bytes(self.0).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        SpanId(moved.max(1).to_be_bytes())
    }
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Lower-case hex.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

/// Lower-case hex.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the two headers of a caller say, or those of a call to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub trace: TraceId,
    pub parent: SpanId,
    pub is_sampled: bool,
    /// `tracestate` as it came.
    pub state: Option<String>,
}

impl TraceContext {
    /// Reads the headers; `tracestate` may be spread over several. None where `traceparent` is not
    /// valid: then there is no trace to continue, which is no fault of the request.
    pub fn read<'a>(parent: &str, states: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut parts = parent.split('-');
        let [version, trace, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let [version] = unhex::<1>(version)?;
        let (trace, span) = (TraceId::new(unhex(trace)?)?, SpanId::new(unhex(span)?)?);
        let [flags] = unhex::<1>(flags)?;
        // A later version may say more behind the four parts that are known; this one may not.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let state: Vec<&str> = states.flat_map(|header| header.split(',')).map(str::trim).collect();
        let is_known = flags & SAMPLED == SAMPLED;
        Some(TraceContext { trace, parent: span, is_sampled: is_known, state: tracestate(&state) })
    }

    /// The value of `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace, self.parent, u8::from(self.is_sampled))
    }
}

/// The list, unless a member is not well formed: then none of it can be trusted.
fn tracestate(members: &[&str]) -> Option<String> {
    let members: Vec<&str> = members.iter().copied().filter(|member| !member.is_empty()).collect();
    let joined = members.join(",");
    let is_short = members.len() <= STATE_MEMBERS_MAX && joined.len() <= STATE_BYTES_MAX;
    (!joined.is_empty() && is_short && members.iter().all(|member| is_member(member))).then_some(joined)
}

fn is_member(member: &str) -> bool {
    let key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-*/@".contains(c);
    let value = |c: char| (' '..='~').contains(&c) && c != ',' && c != '=';
    let Some((name, text)) = member.split_once('=') else { return false };
    !name.is_empty() && name.chars().all(key) && !text.is_empty() && text.chars().all(value)
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if text.len() != 2 * N || !is_lower {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// Whether the caller's decision stands, where there is one.
    pub follows_parent: bool,
    /// Share of the other traces, in millionths.
    pub ratio_ppm: u32,
}

impl Sampler {
    pub const ALL: Sampler = Sampler { follows_parent: true, ratio_ppm: Sampler::WHOLE };
    pub const WHOLE: u32 = 1_000_000;

    /// The same for every span of a trace, wherever it is asked.
    pub fn takes(&self, trace: TraceId, parent: Option<&TraceContext>) -> bool {
        match parent.filter(|_| self.follows_parent) {
            Some(parent) => parent.is_sampled,
            None => u128::from(trace.low()) * u128::from(Sampler::WHOLE) < u128::from(self.ratio_ppm) << 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(parent: &str) -> Option<TraceContext> {
        TraceContext::read(parent, std::iter::empty())
    }

    #[test]
    fn a_parent_comes_back_as_it_was_written() {
        assert_eq!(read(GOOD).map(|context| context.traceparent()).as_deref(), Some(GOOD));
        let unsampled = GOOD.replace("-01", "-00");
        assert_eq!(read(&unsampled).map(|context| context.traceparent()), Some(unsampled));
        // Of the flags only the first is known, and of a later version only the four parts.
        assert_eq!(
            read(&GOOD.replace("-01", "-ff")).map(|context| context.traceparent()).as_deref(),
            Some(GOOD)
        );
        assert!(read(&format!("cc{}-more", &GOOD[2..])).is_some());
    }

    #[test]
    fn what_is_not_valid_is_no_parent() {
        for bad in [
            "",
            "00",
            "garbage",
            &GOOD.to_uppercase(),
            &format!("{GOOD}-more"),
            &GOOD.replacen("00", "ff", 1),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c8031-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\u{e9}-01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_state_is_carried_whole_or_not_at_all() {
        let state =
            |headers: &[&str]| TraceContext::read(GOOD, headers.iter().copied()).expect("a parent").state;
        assert_eq!(state(&["a=1, b@c=x y", ",d=2"]).as_deref(), Some("a=1,b@c=x y,d=2"));
        for bad in [&["A=1"][..], &["a"], &["a="], &["a=1", "b=\u{e9}"], &[], &[&"a=1,".repeat(33)]] {
            assert_eq!(state(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_share_of_the_traces_is_taken_and_a_parent_decides_for_itself() {
        let ids = (0..1_000_u64).map(|n| {
            let mut bytes = [7; 16];
            bytes[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            TraceId::new(bytes).expect("not zero")
        });
        let quarter = Sampler { follows_parent: true, ratio_ppm: 250_000 };
        let taken = ids.clone().filter(|id| quarter.takes(*id, None)).count();
        assert!((200..300).contains(&taken), "{taken} of 1000");
        let none = Sampler { ratio_ppm: 0, ..quarter };
        let parent = read(GOOD).expect("a parent");
        for id in ids {
            assert!(Sampler::ALL.takes(id, None) && !none.takes(id, None));
            assert!(none.takes(id, Some(&parent)));
            assert!(!Sampler { follows_parent: false, ..none }.takes(id, Some(&parent)));
        }
    }
}
