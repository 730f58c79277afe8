//! Bodies of requests: one JSON object, of bounded size.

use serde_json::{Map, Value};

use super::error::GatewayError;
use crate::protocol::fields::BadRequest;
use crate::protocol::json::{JsonFault, parse_object};

/// The largest body the gateway reads: Lambda's 6 MB less what JSON escaping adds.
pub const BODY_BYTES_MAX: usize = 4_500_000;

/// Reads a body.
///
/// # Errors
/// [`GatewayError::TooLarge`], or [`GatewayError::BadRequest`] for what is no JSON object.
pub fn object(body: &[u8]) -> Result<Map<String, Value>, GatewayError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(GatewayError::TooLarge { limit: BODY_BYTES_MAX });
    }
    let fault = |fault: JsonFault| BadRequest::new("", format!("the body is not valid JSON: {}", fault.0));
    Ok(parse_object(body).map_err(fault)?)
}
