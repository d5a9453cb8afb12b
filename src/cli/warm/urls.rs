//! Which pages are asked for.

use super::WarmArgs;
use super::sitemap;
use crate::cli::lines::{self, Lines};
use crate::key::{Host, Scheme, Target};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The most URLs.
pub(super) const MOST: usize = 1_000_000;

/// URLs, each once, and what is to be said of how they were found.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub urls: Vec<Target>,
    pub notes: Vec<String>,
    seen: HashSet<Target>,
    most: usize,
    left_out: u64,
}

impl Wanted {
    pub fn up_to(most: usize) -> Wanted {
        Wanted { most: most.min(MOST), ..Wanted::default() }
    }

    pub fn add(&mut self, target: Target) {
        if self.seen.contains(&target) {
            return;
        }
        if self.urls.len() == self.most {
            self.left_out += 1;
            return;
        }
        self.seen.insert(target.clone());
        self.urls.push(target);
    }
}

pub(super) async fn gather(args: &WarmArgs) -> Result<Wanted, String> {
    let mut wanted = Wanted::up_to(args.most);
    args.urls.iter().for_each(|url| wanted.add(url.clone()));
    for path in &args.files {
        from_list(path, &mut wanted)?;
    }
    for sitemap in &args.sitemaps {
        sitemap::gather(sitemap, args.via.as_deref(), &mut wanted).await?;
    }
    if !args.logs.is_empty() {
        from_logs(args, &mut wanted)?;
    }
    if wanted.left_out > 0 {
        let left_out = format!("{} more were left out: --most is {}", wanted.left_out, wanted.most);
        wanted.notes.push(left_out);
    }
    match wanted.urls.is_empty() {
        true => Err("there is no URL to ask for".to_string()),
        false => Ok(wanted),
    }
}

/// A URL in each line; empty lines and those that begin with # are none.
fn from_list(path: &Path, wanted: &mut Wanted) -> Result<(), String> {
    let shown = path.display();
    let mut lines = Lines::of(lines::open(path)?);
    loop {
        let next = lines.next().map_err(|(at, error)| format!("{shown}:{at}: {error}"))?;
        let Some((number, line)) = next else { return Ok(()) };
        let line = line.ok_or_else(|| format!("{shown}:{number}: this is no text, or too long"))?;
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            let target = Target::from_url(line);
            wanted.add(target.map_err(|error| format!("{shown}:{number}: {line:?}: {error}"))?);
        }
    }
}

/// The pages that were asked for with GET and came, the most wanted first.
fn from_logs(args: &WarmArgs, wanted: &mut Wanted) -> Result<(), String> {
    let base = args.base.as_deref().map(Target::from_url).transpose();
    let base = base.map_err(|error| format!("--base: {error}"))?;
    let mut counts: HashMap<Target, (Reverse<u64>, usize)> = HashMap::new();
    let (mut hostless, mut left_out) = (0_u64, 0_u64);
    for path in &args.logs {
        let unread = lines::each(path, |record| {
            if record.method != "GET" || !(200..400).contains(&record.status) {
                return;
            }
            let own = record.host.as_deref().and_then(|host| Host::parse(host).ok());
            let Some(host) = own.or_else(|| base.as_ref().map(Target::host_alone)) else {
                hostless += 1;
                return;
            };
            let scheme = base.as_ref().map_or(Scheme::Http, Target::scheme);
            let Ok(target) = Target::new(scheme, host, &record.target) else { return };
            let order = counts.len();
            if order < MOST || counts.contains_key(&target) {
                counts.entry(target).or_insert((Reverse(0), order)).0.0 += 1;
            } else {
                left_out += 1;
            }
        })?;
        if let Some(first) = unread.first {
            let count = unread.count;
            wanted.notes.push(format!(
                "{count} lines of the log were not understood; the first is {first}"
            ));
        }
    }
    if hostless > 0 && counts.is_empty() {
        return Err("the log does not say the host: --base http://www.example.org".to_string());
    }
    if args.variants.is_empty() {
        let note = "a log does not say the requests' fields: variants are those of --variant alone";
        wanted.notes.push(note.to_string());
    }
    wanted.left_out += left_out;
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|(_, order)| *order);
    counts.into_iter().for_each(|(target, _)| wanted.add(target));
    Ok(())
}
