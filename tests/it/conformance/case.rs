//! The words that the cases are written in.
//!
//! A case is a row of steps: time passes, or a client asks. A request is written from left to
//! right: what the client sends, what the origin would answer, what is expected.
//!
//! In field lines `{+60}` is the HTTP-date so many seconds after the case began, and `{path}` is
//! the path of the case. The clock begins on 15 January 2027.

/// Where a behaviour holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holds {
    /// By default, and with the profile.
    Everywhere,
    /// By default only: the profile does otherwise.
    ByDefault,
    /// Only with `config/conformance.toml`.
    InProfile,
    /// Only if this key is set to this value.
    When(&'static str, &'static str),
}

/// A behaviour, and the steps that show it.
#[derive(Clone, Debug)]
pub struct Case {
    /// A short name, which is also its path.
    pub id: String,
    /// What is so, in one sentence.
    pub behaviour: String,
    /// Who says so: `RFC 9111 s4.2.1`.
    pub clause: &'static str,
    pub holds: Holds,
    pub steps: Vec<Step>,
}

/// One after the other.
#[derive(Clone, Debug)]
pub enum Step {
    /// So many seconds pass.
    Pass(u64),
    /// A client asks.
    Ask(Box<Ask>),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Whatever the cache likes.
    #[default]
    Any,
    /// Answered without asking the origin.
    Hit,
    /// Answered without waiting for the origin, which is asked behind.
    Behind,
    /// The origin was asked.
    Asked,
    /// The origin was asked with a condition.
    Validated,
}

/// A request, what the origin would answer, and what is expected.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    /// Added to the case's path.
    pub at: &'static str,
    pub fields: Vec<String>,
    pub bearing: &'static str,
    pub http_1_0: bool,
    pub origin: Origin,
    pub expected: Expected,
}

/// What the origin answers if it is asked.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub status: u16,
    pub fields: Vec<String>,
    /// `step N` if it isn't said.
    pub body: Option<&'static str>,
    /// The fields of its 304 to a conditional request.
    pub confirms: Option<Vec<String>>,
    /// What it sends before: status and a field line.
    pub interim: Vec<(u16, &'static str)>,
    /// It hangs up without an answer.
    pub gone: bool,
    /// It hangs up before the end of the body.
    pub cut_short: bool,
}

/// What is expected of the answer, and of what the origin saw.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    pub way: Way,
    pub asked: usize,
    pub status: Option<u16>,
    pub body: Option<String>,
    pub shows: Vec<String>,
    pub lacks: Vec<&'static str>,
    pub cache_status: Vec<&'static str>,
    pub interim: Option<Vec<u16>>,
    pub origin_saw: Vec<String>,
    pub origin_lacked: Vec<&'static str>,
    /// Asked again and again until it is so.
    pub in_the_end: bool,
}

/// Begins a case.
pub fn case(id: impl Into<String>, clause: &'static str, behaviour: impl Into<String>) -> Case {
    let (id, behaviour) = (id.into(), behaviour.into());
    Case { id, behaviour, clause, holds: Holds::Everywhere, steps: Vec::new() }
}

/// What is stored with these lines is used again after so many seconds.
pub fn reused(
    id: impl Into<String>,
    clause: &'static str,
    behaviour: impl Into<String>,
    after: u64,
    lines: &[&str],
) -> Case {
    case(id, clause, behaviour).store(lines).pass(after).hit()
}

/// What comes with these lines is not used again after so many seconds.
pub fn not_reused(
    id: impl Into<String>,
    clause: &'static str,
    behaviour: impl Into<String>,
    after: u64,
    lines: &[&str],
) -> Case {
    case(id, clause, behaviour).store(lines).pass(after).asked()
}

impl Case {
    /// A client asks.
    pub fn ask(mut self, ask: Ask) -> Case {
        self.steps.push(Step::Ask(Box::new(ask)));
        self
    }

    /// Seconds pass.
    pub fn pass(mut self, seconds: u64) -> Case {
        self.steps.push(Step::Pass(seconds));
        self
    }

    /// A GET that has to go to the origin, which answers with these lines.
    pub fn store(self, lines: &[&str]) -> Case {
        self.ask(get().lines(lines).asked())
    }

    /// A GET that is answered with what the first one brought.
    pub fn hit(self) -> Case {
        self.ask(get().hit_of(1))
    }

    /// A GET that has to go to the origin.
    pub fn asked(self) -> Case {
        self.ask(get().asked())
    }

    /// The profile does otherwise.
    pub fn by_default(mut self) -> Case {
        self.holds = Holds::ByDefault;
        self
    }

    /// Only the profile does this.
    pub fn in_profile(mut self) -> Case {
        self.holds = Holds::InProfile;
        self
    }

    /// Only where a key of the configuration says so.
    pub fn when(mut self, key: &'static str, value: &'static str) -> Case {
        self.holds = Holds::When(key, value);
        self
    }
}

/// A request with this method.
pub fn ask(method: &'static str) -> Ask {
    let origin = Origin { status: 200, ..Origin::default() };
    let expected = Expected { asked: 1, ..Expected::default() };
    Ask { method, at: "", fields: Vec::new(), bearing: "", http_1_0: false, origin, expected }
}

/// A GET.
pub fn get() -> Ask {
    ask("GET")
}

/// A HEAD.
pub fn head() -> Ask {
    ask("HEAD")
}

/// What the client sends.
impl Ask {
    /// Another path or query, added to the case's.
    pub fn at(mut self, more: &'static str) -> Ask {
        self.at = more;
        self
    }

    /// A field line.
    pub fn with(mut self, line: impl Into<String>) -> Ask {
        self.fields.push(line.into());
        self
    }

    /// A body.
    pub fn bearing(mut self, body: &'static str) -> Ask {
        self.bearing = body;
        self
    }

    /// The client is an old one.
    pub fn over_http_1_0(mut self) -> Ask {
        self.http_1_0 = true;
        self
    }
}

/// What the origin answers.
impl Ask {
    /// A field line.
    pub fn says(mut self, line: impl Into<String>) -> Ask {
        self.origin.fields.push(line.into());
        self
    }

    /// Several.
    pub fn lines(mut self, lines: &[&str]) -> Ask {
        self.origin.fields.extend(lines.iter().map(|line| (*line).to_string()));
        self
    }

    /// Its status.
    pub fn answered(mut self, status: u16) -> Ask {
        self.origin.status = status;
        self
    }

    /// Its body.
    pub fn sends(mut self, body: &'static str) -> Ask {
        self.origin.body = Some(body);
        self
    }

    /// It answers 304 with these lines if there is a condition.
    pub fn confirms(mut self, lines: &[&str]) -> Ask {
        self.origin.confirms = Some(lines.iter().map(|line| (*line).to_string()).collect());
        self
    }

    /// Before, it sends an interim response with a field line.
    pub fn early(mut self, status: u16, line: &'static str) -> Ask {
        self.origin.interim.push((status, line));
        self
    }

    /// It hangs up without an answer.
    pub fn gone(mut self) -> Ask {
        self.origin.gone = true;
        self
    }

    /// It hangs up before its body is whole.
    pub fn cut_short(mut self) -> Ask {
        self.origin.cut_short = true;
        self
    }
}

/// What is expected.
impl Ask {
    fn goes(mut self, way: Way) -> Ask {
        self.expected.way = way;
        self
    }

    /// The origin is not asked.
    pub fn hit(self) -> Ask {
        self.goes(Way::Hit)
    }

    /// The origin is not asked, and the body is that of this step's answer, counted from 1.
    pub fn hit_of(self, step: usize) -> Ask {
        self.hit().of(step)
    }

    /// The body is that of this step's answer.
    pub fn of(mut self, step: usize) -> Ask {
        self.expected.body = Some(format!("step {step}"));
        self
    }

    /// Answered at once, and the origin is asked behind.
    pub fn behind(self) -> Ask {
        self.goes(Way::Behind)
    }

    /// The origin is asked.
    pub fn asked(self) -> Ask {
        self.goes(Way::Asked)
    }

    /// The origin is asked so many times.
    pub fn asked_times(mut self, times: usize) -> Ask {
        self.expected.asked = times;
        self.asked()
    }

    /// The origin is asked with a condition.
    pub fn validated(self) -> Ask {
        self.goes(Way::Validated)
    }

    /// This status.
    pub fn gives(mut self, status: u16) -> Ask {
        self.expected.status = Some(status);
        self
    }

    /// This body.
    pub fn brings(mut self, body: &str) -> Ask {
        self.expected.body = Some(body.to_string());
        self
    }

    /// This field line.
    pub fn shows(mut self, line: impl Into<String>) -> Ask {
        self.expected.shows.push(line.into());
        self
    }

    /// No such field.
    pub fn lacks(mut self, name: &'static str) -> Ask {
        self.expected.lacks.push(name);
        self
    }

    /// A parameter of larder's member of `Cache-Status`; with `!` in front, it is not there.
    pub fn status(mut self, parameter: &'static str) -> Ask {
        self.expected.cache_status.push(parameter);
        self
    }

    /// These interim responses, in order.
    pub fn interim(mut self, statuses: &[u16]) -> Ask {
        self.expected.interim = Some(statuses.to_vec());
        self
    }

    /// The origin saw this field line.
    pub fn origin_saw(mut self, line: impl Into<String>) -> Ask {
        self.expected.origin_saw.push(line.into());
        self
    }

    /// The origin saw no such field.
    pub fn origin_lacked(mut self, name: &'static str) -> Ask {
        self.expected.origin_lacked.push(name);
        self
    }

    /// It will be so soon: what is done behind takes its time.
    pub fn in_the_end(mut self) -> Ask {
        self.expected.in_the_end = true;
        self
    }
}
