//! Recorded requests and provider streams through every pair of dialects, held to what was reviewed.
//!
//! Each case is a file, and the file `.snap` beside it holds what becomes of it in all the dialects
//! of the other side. A snapshot that differs, is missing or has lost its case fails the test;
//! `UPDATE_GOLDEN=1 cargo test -p shared --test golden` writes them all anew, for `git diff`.

mod bedrock_frames;
mod census;
mod corpus;
mod cuts;
mod decode;
mod dialects;
mod errors;
mod layout;
mod parameters;
mod reply;
mod requests;
mod snapshot;
mod streams;
mod usage;
