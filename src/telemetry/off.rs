//! Telemetry that this larder was built without.

use super::Options;
use crate::access_log::Entry;
use crate::clock::Clock;
use crate::error::OriginError;
use crate::key::Scheme;
use crate::message::{self, Peer, TraceContext};
use http::{Request, StatusCode};
use std::fmt::Display;
use std::sync::Arc;

/// Samples nothing.
#[derive(Clone, Debug, Default)]
pub struct Telemetry(());

/// There is none.
#[derive(Debug)]
pub enum Span {}

/// There is none.
#[derive(Debug)]
pub enum Asking {}

/// There is none.
#[derive(Debug)]
pub enum Exporter {}

impl Telemetry {
    /// Whatever the options: they are refused where they are read.
    ///
    /// # Errors
    /// None.
    pub fn new(
        _options: Options,
        _clock: Arc<dyn Clock>,
    ) -> Result<(Telemetry, Exporter), impl Display> {
        Err("built without telemetry")
    }

    /// Samples no request.
    #[inline]
    pub fn begin<'a>(
        &self,
        _peer: &Peer,
        _options: &message::Options,
        _traceparent: impl FnOnce() -> Option<&'a [u8]>,
    ) -> Option<Span> {
        None
    }

    /// Nothing is told.
    #[inline]
    pub fn answered(&self, span: Span, _entry: &Entry<'_>) {
        match span {}
    }

    /// Nothing is told.
    #[inline]
    pub fn ask<B>(&self, _from: Option<TraceContext>, _request: &mut Request<B>) -> Option<Asking> {
        None
    }

    /// No span is lost.
    pub fn lost(&self) -> u64 {
        0
    }

    /// Nor exported.
    pub fn exported(&self) -> u64 {
        0
    }
}

impl Span {
    /// There is none.
    pub fn context(&self) -> TraceContext {
        match *self {}
    }

    /// There is none.
    pub fn is_first(&self) -> bool {
        match *self {}
    }

    /// There is none.
    pub fn is_for(&mut self, _scheme: Scheme, _host: &str) {
        match *self {}
    }
}

impl Asking {
    /// There is none.
    pub fn ended(self, _outcome: Result<StatusCode, &OriginError>) {
        match self {}
    }
}

impl Exporter {
    /// There is none.
    pub async fn run(self, _closed: tokio::sync::watch::Receiver<bool>) {
        match self {}
    }
}
