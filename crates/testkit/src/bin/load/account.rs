//! Business account of the benchmarks, shared by the server's settings and the webhooks.

pub const APP_SECRET: &str = "the app's secret";
pub const ACCESS_TOKEN: &str = "the number's token";
pub const PHONE_NUMBER_ID: &str = "100000000000001";
pub const PHONE_NUMBER: &str = "15550001111";
