//! The admin API as an admin sees it: the real handler over stores in memory.

mod alerts;
mod audit;
mod keys;
mod lists;
mod overview;
mod sessions;
