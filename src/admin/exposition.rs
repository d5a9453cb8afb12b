//! Prometheus' text format, version 0.0.4: families of samples, each with what it is.

use crate::metrics::Durations;
use std::fmt::{Display, Write};

/// The type of such a text.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What may be done with a family's numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// They only grow.
    Counter,
    /// They go up and down.
    Gauge,
    /// They are counts of what is no larger than a bound.
    Histogram,
}

impl Kind {
    fn token(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// A text that is being written. Writing to memory can't fail.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// One number.
    pub fn one(&mut self, kind: Kind, name: &str, help: &str, value: impl Display) {
        self.family(kind, name, help);
        self.sample(name, &[], value);
    }

    /// One number for each value of a label. The values are known beforehand, or the
    /// operator's: never a client's.
    pub fn each<'a, V: Display>(
        &mut self,
        kind: Kind,
        (name, label): (&str, &str),
        help: &str,
        values: impl IntoIterator<Item = (&'a str, V)>,
    ) {
        self.family(kind, name, help);
        for (text, value) in values {
            self.sample(name, &[(label, text)], value);
        }
    }

    /// A histogram, in seconds.
    pub fn durations(&mut self, name: &str, help: &str, durations: &Durations) {
        self.family(Kind::Histogram, name, help);
        let (all, buckets) = (durations.all(), format!("{name}_bucket"));
        for (bound, count) in durations.cumulated(&all) {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_string() };
            self.sample(&buckets, &[("le", &bound)], count);
        }
        self.sample(&format!("{name}_sum"), &[], all.seconds());
        self.sample(&format!("{name}_count"), &[], all.count());
    }

    /// What the samples behind this are.
    pub fn family(&mut self, kind: Kind, name: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.token());
    }

    /// A number with its labels.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{before}{label}=\"{text}\"");
        }
        let behind = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{behind} {value}");
    }

    /// The text.
    pub fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Bounds;
    use crate::semantics::time::Moment;
    use std::time::Duration;

    #[test]
    fn families_and_samples_are_lines() {
        let mut text = Exposition::default();
        text.one(Kind::Gauge, "a_bytes", "Bytes.", 7);
        text.each(Kind::Counter, ("b_total", "what"), "All.", [("x", 1.5), ("\"\\\n", 0.0)]);
        assert_eq!(
            text.text(),
            "# HELP a_bytes Bytes.\n# TYPE a_bytes gauge\na_bytes 7\n\
             # HELP b_total All.\n# TYPE b_total counter\nb_total{what=\"x\"} 1.5\n\
             b_total{what=\"\\\"\\\\\\n\"} 0\n"
        );
    }

    #[test]
    fn a_histogram_ends_with_all_there_are() {
        let durations = Durations::new(Bounds::ORIGIN);
        durations.add(Duration::from_millis(2), Moment(0));
        durations.add(Duration::from_secs(90), Moment(0));
        let mut text = Exposition::default();
        text.durations("took_seconds", "Time.", &durations);
        let text = text.text();
        for line in [
            "took_seconds_bucket{le=\"0.001\"} 0",
            "took_seconds_bucket{le=\"0.002\"} 1",
            "took_seconds_bucket{le=\"60\"} 1",
            "took_seconds_bucket{le=\"+Inf\"} 2",
            "took_seconds_sum 90.002",
            "took_seconds_count 2",
        ] {
            assert!(text.lines().any(|written| written == line), "{line}: {text}");
        }
    }
}
