//! Takes typed fields out of a JSON object and names the field in every complaint.

use serde_json::{Map, Value};

/// A request that cannot be served as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRequest {
    /// The path of the field at fault, `messages[2].content`; empty when it is the whole body.
    pub param: String,
    pub message: String,
}

impl BadRequest {
    pub fn new(param: impl Into<String>, message: impl Into<String>) -> Self {
        BadRequest { param: param.into(), message: message.into() }
    }
}

/// An object being taken apart. What is left at the end was named by nobody.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    path: String,
}

impl Fields {
    pub fn new(object: Map<String, Value>) -> Self {
        Fields { object, path: String::new() }
    }

    /// # Errors
    /// When `value` is not an object.
    pub fn at(value: Value, path: &str) -> Result<Self, BadRequest> {
        match value {
            Value::Object(object) => Ok(Fields { object, path: path.to_owned() }),
            other => Err(BadRequest::new(path, format!("expected an object, got {}", kind(&other)))),
        }
    }

    /// The full path of `name` in the body.
    pub fn path(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// What nobody took.
    pub fn rest(self) -> Map<String, Value> {
        self.object
    }

    /// # Errors
    /// When anything but nulls is left: the first field that nobody took.
    pub fn nothing_else(self) -> Result<(), BadRequest> {
        let left = self.object.iter().find(|(_, value)| !value.is_null());
        match left.map(|(name, _)| self.path(name)) {
            None => Ok(()),
            Some(path) => Err(BadRequest::new(&path, format!("{path} is not a known field"))),
        }
    }

    /// The field as it stands; null counts as absent.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, expected: &str, value: &Value) -> BadRequest {
        BadRequest::new(
            self.path(name),
            format!("{} must be {expected}, got {}", self.path(name), kind(value)),
        )
    }

    /// # Errors
    /// When the field is absent.
    pub fn required(&mut self, name: &str) -> Result<Value, BadRequest> {
        self.value(name)
            .ok_or_else(|| BadRequest::new(self.path(name), format!("{} is required", self.path(name))))
    }

    /// # Errors
    /// When the field is there and not a string.
    pub fn string(&mut self, name: &str) -> Result<Option<String>, BadRequest> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, "a string", &other)),
        }
    }

    /// # Errors
    /// When the field is absent, empty or not a string.
    pub fn required_string(&mut self, name: &str) -> Result<String, BadRequest> {
        match self.required(name)? {
            Value::String(text) if !text.is_empty() => Ok(text),
            Value::String(_) => {
                Err(BadRequest::new(self.path(name), format!("{} must not be empty", self.path(name))))
            }
            other => Err(self.wrong(name, "a string", &other)),
        }
    }

    /// # Errors
    /// When the field is there and not true or false.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, BadRequest> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(name, "true or false", &other)),
        }
    }

    /// # Errors
    /// When the field is there and not a whole number within `low..=high`.
    pub fn whole(&mut self, name: &str, low: u64, high: u64) -> Result<Option<u64>, BadRequest> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(number) if (low..=high).contains(&number) => Ok(Some(number)),
            _ if value.is_number() => {
                let path = self.path(name);
                Err(BadRequest::new(
                    &path,
                    format!("{path} must be a whole number from {low} to {high}, got {value}"),
                ))
            }
            _ => Err(self.wrong(name, "a whole number", &value)),
        }
    }

    /// A number within bounds, kept as it was written.
    ///
    /// # Errors
    /// When the field is there and not a number within `low..=high`.
    pub fn number(&mut self, name: &str, low: f64, high: f64) -> Result<Option<Value>, BadRequest> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(number) if (low..=high).contains(&number) => Ok(Some(value)),
            Some(_) => {
                let path = self.path(name);
                Err(BadRequest::new(&path, format!("{path} must be from {low} to {high}, got {value}")))
            }
            None => Err(self.wrong(name, "a number", &value)),
        }
    }

    /// # Errors
    /// When the field is there and not an array.
    pub fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>, BadRequest> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong(name, "an array", &other)),
        }
    }

    /// # Errors
    /// When the field is there and not an object.
    pub fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, BadRequest> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(self.wrong(name, "an object", &other)),
        }
    }
}

/// What a value is, in the words of JSON.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
