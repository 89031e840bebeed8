//! What the plugin writes: of each process a file with one line per event of its life.
//!
//! `begin` and the names of what is counted; `region` and the figures of one region; `exec`, where another program
//! takes the process over, and `total`, where it ends, with what was counted since the process (or its fork) began.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

/// The files of a tree of processes.
pub struct Report {
    path: String,
}

impl Report {
    /// `path` gets each process's id behind a dot.
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned() }
    }

    /// Appends a line, at once: a process may be killed at any time.
    pub fn say(&self, word: &str, names: &[&str], figures: &[u64]) {
        let mut line = word.to_owned();
        for name in names {
            let _ = write!(line, " {name}");
        }
        for figure in figures {
            let _ = write!(line, " {figure}");
        }
        line.push('\n');
        let path = format!("{}.{}", self.path, std::process::id());
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            eprintln!("tax-probe's plugin: {path}: {error}");
        }
    }
}
