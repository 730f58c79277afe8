//! What an admin does to a gateway of this machine, and what nobody else can.

mod access;
mod commands;
mod gateway;
