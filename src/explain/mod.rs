//! Why a request was answered as it was, in words and figures: for `larder get`, the
//! admin port and its pages. Nothing here decides anything; what was decided is put
//! into words.

mod browser;
mod freshness;
mod pages;
mod would;

pub use browser::{Browser, browser};
pub use freshness::arithmetic;
pub use pages::{Fix, page};
pub use would::{would, would_if_not_bypassed};

use crate::semantics::cache_status::{CacheStatus, Forward, Outcome};
use crate::semantics::counterfactual::{QUESTIONS, Question};
use crate::semantics::reason::{Kind, Reason};
use serde::Serialize;

/// All that there is to say about a request.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The request, as it was read.
    pub request: Request,
    /// What was done with it, or would be.
    pub outcome: Said,
    /// What more there is to say about that.
    pub reason: Option<Why>,
    /// How it came to that, step by step.
    pub steps: Vec<Step>,
    /// What is stored for its target.
    pub variants: Vec<Variant>,
    /// What the visitor's browser does with the answer.
    pub browser: Option<Browser>,
    /// What would have to be otherwise for the answer to be stored.
    pub would: Vec<Would>,
}

/// A request, as it was read.
#[derive(Debug, Serialize)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its target.
    pub url: String,
    /// What its answers are stored under.
    pub key: String,
    /// What of it makes no difference to what is answered.
    pub left_out: Vec<LeftOut>,
}

/// Something of a request that makes no difference, and why.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// What it is.
    pub what: String,
    /// Why it makes none.
    pub why: String,
}

/// A token of `Cache-Status`, in words.
#[derive(Debug, Serialize)]
pub struct Said {
    /// The token.
    pub token: &'static str,
    /// The same in a sentence.
    pub sentence: String,
}

/// A reason, in words.
#[derive(Debug, Serialize)]
pub struct Why {
    /// Its code.
    pub code: &'static str,
    /// What it is about.
    pub kind: &'static str,
    /// The same in a sentence.
    pub sentence: &'static str,
    /// The clause or the key that decides, if it is about storing.
    pub clause: Option<&'static str>,
    /// Where the repository says more.
    pub docs: String,
    /// What to do about it.
    pub fix: Fix,
}

/// A question that was asked on the way, and its answer.
#[derive(Debug, Serialize)]
pub struct Step {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// By which clause, key or field.
    pub by: String,
    /// `storing` or `answering`.
    pub about: &'static str,
}

/// A stored response.
#[derive(Debug, Serialize)]
pub struct Variant {
    /// The request selects it.
    pub selected: bool,
    /// Its status.
    pub status: u16,
    /// Its fields.
    pub fields: Vec<(String, String)>,
    /// Bytes of its body.
    pub bytes: u64,
    /// Seconds of its age.
    pub age: u32,
    /// Seconds for which it stays fresh; negative once it is stale.
    pub ttl: i64,
    /// How many requests it has answered.
    pub hits: u64,
    /// Its tags.
    pub tags: Vec<String>,
    /// The request fields by which it was told apart.
    pub nominated: Vec<String>,
    /// Its freshness, in figures.
    pub arithmetic: Vec<String>,
}

/// Something that would have to be otherwise.
#[derive(Debug, Serialize)]
pub struct Would {
    /// The reason that would fall away.
    pub code: &'static str,
    /// What would have to be otherwise.
    pub sentence: String,
    /// What to do about it.
    #[serde(flatten)]
    pub fix: Fix,
}

impl Explanation {
    /// Leaves out what to do, which is long.
    pub fn leave_out_fixes(&mut self) {
        self.reason.iter_mut().for_each(|why| why.fix = Fix::default());
        self.would.iter_mut().for_each(|would| would.fix = Fix::default());
    }
}

impl Step {
    /// A step.
    pub fn new(
        question: impl Into<String>,
        answer: impl Into<String>,
        by: impl Into<String>,
    ) -> Step {
        Step { question: question.into(), answer: answer.into(), by: by.into(), about: "answering" }
    }
}

impl Said {
    /// What was done with a request.
    pub fn of(status: &CacheStatus) -> Said {
        let token = status.outcome.token();
        let sentence = match (status.outcome, status.detail) {
            (Outcome::Hit, _) => "answered from the cache".to_string(),
            (Outcome::Own, _) => "answered by larder itself".to_string(),
            (Outcome::Forwarded(_), Some(reason)) if reason.kind() == Kind::Passed => {
                format!("forwarded to the app: {}", reason.sentence())
            }
            (Outcome::Forwarded(forward), _) => {
                format!("forwarded to the app: {}", Forward::sentence(forward))
            }
        };
        let filled = match status.filled {
            true => "; its placeholders are filled for each visitor",
            false => "",
        };
        Said { token, sentence: sentence + filled }
    }
}

impl Why {
    /// A reason, with what to do about it.
    pub fn of(reason: Reason) -> Why {
        Why {
            code: reason.code(),
            kind: reason.kind().token(),
            sentence: reason.sentence(),
            clause: asking(reason).map(|question| question.by),
            docs: format!("docs/reasons/{}.md", reason.code()),
            fix: Fix::of(reason),
        }
    }
}

/// The question to which a reason is the answer.
fn asking(reason: Reason) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.reasons.contains(&reason))
}

/// The questions about storing, as far as they were asked: up to the one that was
/// answered with this reason, or all of them.
pub fn storing(reason: Option<Reason>) -> Vec<Step> {
    let mut steps = Vec::new();
    for question in &QUESTIONS {
        let refused = reason.filter(|reason| question.reasons.contains(reason));
        let answer = refused.map_or("yes".into(), |reason| format!("no: {}", reason.sentence()));
        let step = Step::new(question.text, answer, question.by);
        steps.push(Step { about: "storing", ..step });
        if refused.is_some() {
            break;
        }
    }
    steps
}
