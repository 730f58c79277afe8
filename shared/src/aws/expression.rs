//! Builds expressions. Every name is a placeholder, since half the plain words are reserved, and
//! only what is used is declared, since DynamoDB refuses the rest.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// The expressions of one write, and what their placeholders stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expression {
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Expression {
    /// The path of an attribute; `live.01ABC` becomes `#live.#01ABC`.
    pub(super) fn path(&mut self, path: &str) -> String {
        let parts = path.split('.').map(|part| {
            let placeholder = format!("#{}", part.replace('-', "_"));
            self.names.insert(placeholder.clone(), part.to_owned());
            placeholder
        });
        parts.collect::<Vec<_>>().join(".")
    }

    pub(super) fn value(&mut self, name: &str, value: AttributeValue) -> String {
        let placeholder = format!(":{name}");
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// `SET path = value`
    pub(super) fn set(&mut self, path: &str, name: &str, value: AttributeValue) {
        let action = format!("{} = {}", self.path(path), self.value(name, value));
        self.sets.push(action);
    }

    /// `SET path = path + value`. DynamoDB knows two operands a sum, and no parentheses.
    pub(super) fn add(&mut self, path: &str, name: &str, value: AttributeValue) {
        let path = self.path(path);
        let action = format!("{path} = {path} + {}", self.value(name, value));
        self.sets.push(action);
    }

    /// `SET path = if_not_exists(path, value)`
    pub(super) fn set_once(&mut self, path: &str, name: &str, value: AttributeValue) {
        let path = self.path(path);
        let action = format!("{path} = if_not_exists({path}, {})", self.value(name, value));
        self.sets.push(action);
    }

    pub(super) fn remove(&mut self, path: &str) {
        let path = self.path(path);
        self.removes.push(path);
    }

    /// `path operator value`, all such conditions joined by AND. False where the path is missing.
    pub(super) fn compare(&mut self, path: &str, operator: &str, name: &str, value: AttributeValue) {
        let condition = format!("{} {operator} {}", self.path(path), self.value(name, value));
        self.conditions.push(condition);
    }

    /// `size(path) operator value`: of a map, how many members it has.
    pub(super) fn size(&mut self, path: &str, operator: &str, name: &str, value: AttributeValue) {
        let condition = format!("size({}) {operator} {}", self.path(path), self.value(name, value));
        self.conditions.push(condition);
    }

    /// A condition of paths and values that were declared before.
    pub(super) fn demand(&mut self, condition: String) {
        self.conditions.push(condition);
    }

    pub(super) fn exists(&mut self, path: &str) {
        let condition = format!("attribute_exists({})", self.path(path));
        self.conditions.push(condition);
    }

    pub(super) fn absent(&mut self, path: &str) {
        let condition = format!("attribute_not_exists({})", self.path(path));
        self.conditions.push(condition);
    }

    /// No attribute `absent`, or else `path operator value`.
    pub(super) fn absent_or(
        &mut self,
        absent: &str,
        path: &str,
        operator: &str,
        name: &str,
        value: AttributeValue,
    ) {
        let (absent, path) = (self.path(absent), self.path(path));
        let value = self.value(name, value);
        self.conditions.push(format!("(attribute_not_exists({absent}) OR {path} {operator} {value})"));
    }

    /// `path <= value`, or no such attribute.
    pub(super) fn absent_or_at_most(&mut self, path: &str, name: &str, value: AttributeValue) {
        let path = self.path(path);
        let value = self.value(name, value);
        self.conditions.push(format!("(attribute_not_exists({path}) OR {path} <= {value})"));
    }

    pub(super) fn update(&self) -> String {
        let clause = |word: &str, actions: &[String]| match actions {
            [] => String::new(),
            actions => format!("{word} {} ", actions.join(", ")),
        };
        let both = clause("SET", &self.sets) + &clause("REMOVE", &self.removes);
        both.trim_end().to_owned()
    }

    pub(super) fn condition(&self) -> String {
        self.conditions.join(" AND ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::n;
    use super::*;

    #[test]
    fn an_expression_declares_exactly_what_it_uses() {
        let mut expression = Expression::default();
        expression.add("remaining", "back", n(5));
        expression.remove("live.01ABC");
        expression.exists("live.01ABC");
        expression.absent_or("floor", "floor", "<", "id", n(1));
        assert_eq!(expression.update(), "SET #remaining = #remaining + :back REMOVE #live.#01ABC");
        assert_eq!(
            expression.condition(),
            "attribute_exists(#live.#01ABC) AND (attribute_not_exists(#floor) OR #floor < :id)"
        );
        let mut names: Vec<_> = expression.names.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["#01ABC", "#floor", "#live", "#remaining"]);
        assert_eq!(expression.values.len(), 2);
    }
}
