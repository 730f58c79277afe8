//! The environment variables of the OpenTelemetry specification, as far as they mean something here.

use std::time::Duration;

use serde_json::Value;

use super::json::text;
use crate::domain::trace::Sampler;

/// However patient the environment says to be: a caller may be waiting.
const PATIENCE_MAX: Duration = Duration::from_millis(500);

/// Where one signal goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// Where to, whose, and how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub(super) traces: Option<Target>,
    pub(super) metrics: Option<Target>,
    /// Attributes of the resource, as OTLP writes them.
    pub(super) resource: Vec<Value>,
    pub(super) sampler: Sampler,
    pub(super) patience: Duration,
}

impl Settings {
    /// Reads the variables; none where no endpoint is set or OpenTelemetry is switched off.
    ///
    /// # Errors
    /// Names the variable that asks for what is not there.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let set = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let (traces, metrics) =
            (target(&set, "TRACES", "v1/traces")?, target(&set, "METRICS", "v1/metrics")?);
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        let patience = set("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|millis| millis.parse().ok());
        let patience = patience.map_or(PATIENCE_MAX, Duration::from_millis).min(PATIENCE_MAX);
        Ok(Some(Settings { traces, metrics, resource: resource(&set)?, sampler: sampler(&set)?, patience }))
    }
}

type Set<'a> = &'a dyn Fn(&str) -> Option<String>;

fn target(set: Set<'_>, signal: &str, path: &str) -> Result<Option<Target>, String> {
    let own = |what: &str| set(&format!("OTEL_EXPORTER_OTLP_{signal}_{what}"));
    let any = |what: &str| set(&format!("OTEL_EXPORTER_OTLP_{what}"));
    if set(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|exporter| exporter == "none") {
        return Ok(None);
    }
    let under = |base: String| format!("{}/{path}", base.trim_end_matches('/'));
    let Some(url) = own("ENDPOINT").or_else(|| any("ENDPOINT").map(under)) else { return Ok(None) };
    // Every receiver of OTLP over HTTP takes JSON where it takes protobuf; gRPC is another protocol.
    if own("PROTOCOL").or_else(|| any("PROTOCOL")).is_some_and(|protocol| protocol == "grpc") {
        return Err("OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not spoken here, only OTLP over HTTP".to_owned());
    }
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    if !is_http {
        return Err(format!("OTEL_EXPORTER_OTLP_ENDPOINT: the address for {path} is no http or https URL"));
    }
    let headers = own("HEADERS").or_else(|| any("HEADERS")).unwrap_or_default();
    let headers =
        pairs(&headers).ok_or("OTEL_EXPORTER_OTLP_HEADERS: must be name=value, parted by commas")?;
    Ok(Some(Target { url, headers }))
}

fn resource(set: Set<'_>) -> Result<Vec<Value>, String> {
    let given = set("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut named = pairs(&given).ok_or("OTEL_RESOURCE_ATTRIBUTES: must be name=value, parted by commas")?;
    let known = |named: &[(String, String)], wanted: &str| named.iter().any(|(name, _)| name == wanted);
    if let Some(name) = set("OTEL_SERVICE_NAME") {
        named.retain(|(known, _)| known != "service.name");
        named.push(("service.name".to_owned(), name));
    }
    let functions = [("AWS_LAMBDA_FUNCTION_NAME", "faas.name"), ("AWS_REGION", "cloud.region")];
    let found = functions.iter().filter_map(|(name, attribute)| Some(((*attribute).to_owned(), set(name)?)));
    let version = ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    for (name, value) in found.chain([("service.name".to_owned(), "tollgate".to_owned()), version]) {
        if !known(&named, &name) {
            named.push((name, value));
        }
    }
    Ok(named.iter().map(|(name, value)| text(name, value)).collect())
}

fn sampler(set: Set<'_>) -> Result<Sampler, String> {
    let ratio = || match set("OTEL_TRACES_SAMPLER_ARG").map(|ratio| ratio.parse::<f64>()) {
        None => Ok(Sampler::WHOLE),
        // Rounded to a millionth, of which there are few enough.
        Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => {
            Ok((ratio * f64::from(Sampler::WHOLE)).round() as u32)
        }
        Some(_) => Err("OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1".to_owned()),
    };
    let name = set("OTEL_TRACES_SAMPLER").unwrap_or_else(|| "parentbased_always_on".to_owned());
    let (follows_parent, rule) = match name.strip_prefix("parentbased_") {
        Some(rule) => (true, rule),
        None => (false, name.as_str()),
    };
    let ratio_ppm = match rule {
        "always_on" => Sampler::WHOLE,
        "always_off" => 0,
        "traceidratio" => ratio()?,
        _ => return Err(format!("OTEL_TRACES_SAMPLER: {name:?} is not known here")),
    };
    Ok(Sampler { follows_parent, ratio_ppm })
}

/// `name=value`, parted by commas, the values percent-encoded.
fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let members = list.split(',').map(str::trim).filter(|member| !member.is_empty());
    let pair = |member: &str| {
        let (name, value) = member.split_once('=')?;
        Some((name.trim().to_owned(), decoded(value.trim())?))
    };
    members.map(pair).collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |digit: Option<u8>| char::from(digit?).to_digit(16);
        match byte {
            b'%' => bytes.push(u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Settings::read(|name| found(name).map(|(_, value)| (*value).to_owned()))
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

    #[test]
    fn without_an_endpoint_nothing_is_sent() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Ok(None));
        assert_eq!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        let neither = [ENDPOINT, ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none")];
        assert_eq!(read(&neither), Ok(None));
    }

    #[test]
    fn a_signal_has_its_own_address_and_headers_or_the_common_ones() {
        let settings = read(&[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://metrics.example/in"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20YQ%3D%3D, x-team=a"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "x-team=b"),
        ]);
        let settings = settings.expect("valid").expect("an endpoint");
        let (traces, metrics) = (settings.traces.expect("traces"), settings.metrics.expect("metrics"));
        assert_eq!(traces.url, "http://collector:4318/v1/traces");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(traces.headers, [pair("authorization", "Basic YQ=="), pair("x-team", "a")]);
        assert_eq!(metrics.url, "https://metrics.example/in");
        assert_eq!(metrics.headers, [pair("x-team", "b")]);
    }

    #[test]
    fn the_resource_is_named_by_the_operator_first() {
        let named = |variables: &[(&str, &str)]| {
            let settings = read(&[&[ENDPOINT], variables].concat()).expect("valid").expect("an endpoint");
            serde_json::to_string(&settings.resource).expect("JSON")
        };
        assert!(named(&[]).contains(r#""service.name","value":{"stringValue":"tollgate"}"#));
        let given = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=test%2C1");
        assert!(named(&[given]).contains(r#"{"stringValue":"a"}"#) && named(&[given]).contains("test,1"));
        let both = named(&[given, ("OTEL_SERVICE_NAME", "b")]);
        assert!(both.contains(r#"{"stringValue":"b"}"#) && !both.contains(r#"{"stringValue":"a"}"#));
    }

    #[test]
    fn samplers_are_named_as_the_specification_names_them() {
        let sampler = |name: &str, ratio: &str| {
            let variables = [ENDPOINT, ("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", ratio)];
            read(&variables).map(|settings| settings.expect("an endpoint").sampler)
        };
        let made = |follows_parent, ratio_ppm| Ok(Sampler { follows_parent, ratio_ppm });
        assert_eq!(sampler("", ""), Ok(Sampler::ALL));
        assert_eq!(sampler("always_off", ""), made(false, 0));
        assert_eq!(sampler("traceidratio", "0.25"), made(false, 250_000));
        assert_eq!(sampler("parentbased_traceidratio", "0.000001"), made(true, 1));
        for bad in [("sometimes", ""), ("traceidratio", "2"), ("traceidratio", "x")] {
            assert!(
                sampler(bad.0, bad.1).is_err_and(|why| why.starts_with("OTEL_TRACES_SAMPLER")),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        for (bad, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"),
        ] {
            assert!(read(&[ENDPOINT, (bad, value)]).is_err_and(|why| why.starts_with(bad)), "{bad}");
        }
        assert!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]).is_err());
    }
}
