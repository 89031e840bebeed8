//! A group of counters around regions of this thread's work, through `perf_event_open`: no Python here.

use std::io;

use perf_event::events::{Event, Hardware, Software};
use perf_event::{Builder, Counter, Group};

/// What a region counted; times in ns say whether the kernel had to multiplex.
#[derive(Debug, PartialEq, Eq)]
pub struct Counts {
    /// One value per event, in the order asked for.
    pub values: Vec<u64>,
    /// How long the group was enabled.
    pub enabled_ns: u64,
    /// How long it was on the PMU; less than `enabled_ns` means that the values are no counts.
    pub running_ns: u64,
}

impl Counts {
    /// What came since an `earlier` reading of the same group.
    fn since(&self, earlier: &Self) -> Self {
        Self {
            values: self.values.iter().zip(&earlier.values).map(|(now, then)| now.saturating_sub(*then)).collect(),
            enabled_ns: self.enabled_ns.saturating_sub(earlier.enabled_ns),
            running_ns: self.running_ns.saturating_sub(earlier.running_ns),
        }
    }
}

/// Counters that start and stop together, in user mode of this thread.
pub struct Region {
    group: Group,
    /// None: the clock, which is the time that the group was enabled.
    counters: Vec<Option<Counter>>,
    /// How the group stood when the region began.
    began: Option<Counts>,
}

impl Region {
    /// Opens a group with these events; names are those of `perf list`.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown name; else what the kernel answers (`ENOENT`: no PMU, `EACCES`: not allowed).
    pub fn open(names: &[String]) -> io::Result<Self> {
        let mut group = Group::new()?;
        let counters = names.iter().map(|name| add(&mut group, name)).collect::<io::Result<_>>()?;
        Ok(Self { group, counters, began: None })
    }

    /// Begins a region.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn start(&mut self) -> io::Result<()> {
        // PERF_EVENT_IOC_RESET clears counts alone ("There is no way to reset the multiplexing time_enabled or
        // time_running values", perf_event_open(2)): a region that was multiplexed would taint all later ones.
        self.began = Some(self.read()?);
        self.group.enable()
    }

    /// Ends the region and gives what was counted in it.
    ///
    /// # Errors
    /// What the kernel answers; `InvalidInput` when none was begun.
    pub fn stop(&mut self) -> io::Result<Counts> {
        self.group.disable()?;
        let began = self.began.take().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no region began"))?;
        Ok(self.read()?.since(&began))
    }

    /// Counts and times since the group was opened.
    fn read(&mut self) -> io::Result<Counts> {
        let read = self.group.read()?;
        let ns = |time: Option<std::time::Duration>| {
            time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
        };
        let enabled_ns = ns(read.time_enabled());
        Ok(Counts {
            values: self.counters.iter().map(|one| one.as_ref().map_or(enabled_ns, |counter| read[counter])).collect(),
            enabled_ns,
            running_ns: ns(read.time_running()),
        })
    }
}

/// The kernel's own `task-clock` event stood at 0 in one process of seven (Linux 6.18 in a virtual machine without a PMU),
/// while the time that it keeps for every group went on: of a thread's group that is the time on the CPU.
fn add(group: &mut Group, name: &str) -> io::Result<Option<Counter>> {
    match name {
        "instructions" => add_event(group, Hardware::INSTRUCTIONS),
        "cycles" => add_event(group, Hardware::CPU_CYCLES),
        "branches" => add_event(group, Hardware::BRANCH_INSTRUCTIONS),
        "branch-misses" => add_event(group, Hardware::BRANCH_MISSES),
        "cache-misses" => add_event(group, Hardware::CACHE_MISSES),
        "task-clock" => Ok(None),
        "page-faults" => add_event(group, Software::PAGE_FAULTS),
        "context-switches" => add_event(group, Software::CONTEXT_SWITCHES),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("no event {name}"))),
    }
}

fn add_event(group: &mut Group, event: impl Event) -> io::Result<Option<Counter>> {
    group.add(&Builder::new(event)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_event_is_named() {
        let error = Region::open(&["no-such-event".to_owned()]).err().expect("nothing of that name exists");
        assert!(error.kind() == io::ErrorKind::InvalidInput || error.raw_os_error().is_some(), "{error}");
    }

    #[test]
    fn a_multiplexed_region_taints_none_after_it() {
        let at = |value, enabled_ns, running_ns| Counts { values: vec![value, 2 * value], enabled_ns, running_ns };
        let (opened, multiplexed, whole) = (at(0, 0, 0), at(100, 1_000, 830), at(220, 1_900, 1_730));
        assert_eq!(multiplexed.since(&opened), at(100, 1_000, 830));
        assert_eq!(whole.since(&multiplexed), at(120, 900, 900));
    }

    #[test]
    fn what_was_not_begun_has_no_end() {
        let Ok(mut region) = Region::open(&["task-clock".to_owned()]) else { return };
        assert_eq!(region.stop().expect_err("nothing was begun").kind(), io::ErrorKind::InvalidInput);
    }

    /// Needs no PMU; a kernel that allows no perf events at all is passed over.
    #[test]
    fn equal_regions_read_equal_times() {
        let Ok(mut region) = Region::open(&["task-clock".to_owned()]) else { return };
        let read: Vec<Counts> = (0..8)
            .map(|_| {
                region.start().expect("start");
                crate::loops::count_down(10_000_000).expect("this architecture has the loop");
                region.stop().expect("stop")
            })
            .collect();
        let times = |of: fn(&Counts) -> u64| read.iter().map(of).collect::<Vec<u64>>();
        for found in [times(|one| one.values[0]), times(|one| one.enabled_ns), times(|one| one.running_ns)] {
            // Of eight times that held all before them, the last would be eight times the first.
            assert!(found[7] < 4 * found[0], "{found:?} ns: a region holds those before it");
            assert!(found[0] < 4 * found[7], "{found:?} ns");
        }
    }
}
