//! The played day from outside: the program as a process, its answer as JSON, its folder as evidence.
#![cfg(feature = "office")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "demo/books.rs"]
mod books;
#[path = "demo/scan.rs"]
mod scan;

use books::{Day, check, check_books};
use std::time::Duration;

#[test]
fn a_day_ends_with_books_that_agree() {
    for seed in 1..=3 {
        let day = Day::new(seed);
        check(&day.play());
    }
}

#[test]
fn long_twenty_seeds_end_with_books_that_agree() {
    for seed in 1..=20 {
        let day = Day::new(seed);
        check(&day.play());
    }
}

#[test]
fn a_folder_with_a_day_is_not_played_over() {
    let day = Day::new(4);
    check(&day.play());
    let again = day.command(false).output().unwrap();
    assert_eq!(again.status.code(), Some(3));
    let error: serde_json::Value = serde_json::from_slice(&again.stderr).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("--resume"), "{error}");
    check(&day.resume());
}

/// Stops the program by SIGKILL right after every `step`-th commit of a day, from `first` on, each time in a fresh
/// folder, and plays the day to its end.
fn killed_at_commits(seed: u64, first: u64, step: u64) {
    let mut at = first;
    loop {
        let day = Day::new(seed);
        let stopped = day.killed_after(at);
        check_books(&day.resume());
        if !stopped {
            return;
        }
        at += step;
    }
}

#[test]
fn slow_a_day_killed_at_some_commits_is_played_to_its_end() {
    killed_at_commits(5, 7, 61);
}

#[test]
fn long_a_day_killed_at_every_commit_is_played_to_its_end() {
    killed_at_commits(5, 1, 1);
}

/// Moments of a day, spread without a pattern but the same in each run.
fn moments(count: u64) -> impl Iterator<Item = Duration> {
    (0..count).map(move |n| Duration::from_millis(60 + (n * 7_919) % 2_300))
}

#[test]
fn slow_a_day_killed_at_random_moments_is_played_to_its_end() {
    for (seed, moment) in (30..34).zip(moments(4)) {
        let day = Day::new(seed);
        day.killed_at(moment);
        check_books(&day.resume());
    }
}

#[test]
fn long_a_day_killed_at_twenty_random_moments_is_played_to_its_end() {
    for (seed, moment) in (40..60).zip(moments(20)) {
        let day = Day::new(seed);
        day.killed_at(moment);
        check_books(&day.resume());
    }
}

/// A day that is killed again and again, a little later each time.
#[test]
fn slow_a_day_killed_many_times_is_played_to_its_end() {
    let day = Day::new(6);
    let mut kills = 0;
    while day.killed_after(40) && kills < 40 {
        kills += 1;
    }
    assert!(kills > 3, "only {kills} kills");
    check_books(&day.resume());
}

#[test]
fn no_card_number_is_anywhere_under_the_days_folder() {
    let mut clear_track = false;
    for seed in [1, 2, 3, 5] {
        let day = Day::new(seed);
        let report = day.play();
        clear_track |= report["payments"].as_array().unwrap().iter().any(|p| p["state"] == "refused");
        assert_eq!(scan::found(day.dir()), Vec::<String>::new(), "seed {seed}");
    }
    assert!(clear_track, "no day had the card that is sent in clear");
}

/// The same search finds what it looks for, in every form and place.
#[test]
fn a_planted_card_number_is_found() {
    scan::finds_what_is_planted();
}
