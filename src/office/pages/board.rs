//! The board: the day's figures, technicians with their visits on a time line, the unassigned tray.

use super::View;
use super::assets::{BOARD_QUARTERS, LANES_MAX};
use super::error::PageError;
use super::layout::{self, Page};
use super::query::board::{self, Figures, Technician, Visit, Which};
use super::words;
use crate::domain::job::{Review, VisitState};
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};

/// The hours that the time line shows.
const FIRST_HOUR: i64 = 7;
const LAST_HOUR: i64 = 19;
/// A block narrower than this has no room for shape and word side by side, quarters of an hour.
const WORD_QUARTERS: i64 = 4;
/// Room on a block, at the width that the board is made for: characters in ten quarters of an hour, less the edges.
const CHARS_IN_TEN_QUARTERS: i64 = 29;
const EDGE_CHARS: i64 = 2;
const QUARTER_MS: i64 = 15 * 60_000;
/// A handheld that was not heard for this long is told apart, milliseconds.
const QUIET_MS: i64 = 60 * 60_000;

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    day: String,
}

/// A day in the office's zone.
struct Day {
    date: Date,
    from_ms: i64,
    to_ms: i64,
}

impl Day {
    fn of(view: &View<'_>, date: Date) -> Option<Day> {
        let start = |date: Date| Some(view.zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond());
        Some(Day { date, from_ms: start(date)?, to_ms: start(date.tomorrow().ok()?)? })
    }

    fn at(view: &View<'_>, ms: i64) -> Option<Day> {
        Day::of(view, view.zone.to_datetime(Timestamp::from_millisecond(ms).ok()?).date())
    }

    fn asked(view: &View<'_>, asked: &str) -> Result<Day, PageError> {
        let today = Day::at(view, view.now_ms).ok_or(PageError::NotFound("day"))?;
        if !asked.is_empty() {
            let date = asked.parse().map_err(|_| PageError::NotFound("day"))?;
            return Day::of(view, date).ok_or(PageError::NotFound("day"));
        }
        let nearest = board::nearest_job_ms(view.db, today.from_ms, today.to_ms)?;
        Ok(nearest.and_then(|ms| Day::at(view, ms)).unwrap_or(today))
    }
}

pub(super) fn page(view: &View<'_>, asked: &Asked) -> Result<Page, PageError> {
    let day = Day::asked(view, &asked.day)?;
    let visits = board::visits(view.db, &Which::Day(day.from_ms, day.to_ms))?;
    let technicians = board::technicians(view.db)?;
    let sums = board::figures(view.db, day.from_ms, day.to_ms)?;
    let (assigned, unassigned): (Vec<&Visit>, Vec<&Visit>) = visits.iter().partition(|v| v.technician.is_some());
    let done = visits.iter().filter(|visit| visit.state == VisitState::Done).count();
    let body = html! {
        (figures(view, &day, &sums))
        (day_bar(view, &day, visits.len(), done))
        section.board aria-label="Visits by technician" {
            (hours())
            @for technician in &technicians {
                @let own: Vec<&Visit> = assigned
                    .iter()
                    .copied()
                    .filter(|visit| visit.technician.as_ref() == Some(&technician.id))
                    .collect();
                (row(view, &day, technician, &own))
            }
            @if technicians.is_empty() {
                (layout::nothing("No technicians yet. Import them: tillroll office import technicians FILE.csv"))
            }
        }
        (tray(view, &unassigned))
    };
    Ok(Page { title: "Board".to_owned(), at: "/", body })
}

fn figures(view: &View<'_>, day: &Day, sums: &Figures) -> Markup {
    html! {
        section.figures aria-label="The day's figures" {
            a.figure.s-paid href="/payments" {
                h2 { i aria-hidden="true" { "✓" } " Collected" }
                strong { (sums.collected.markup()) }
                p { (sums.collected_count) @if sums.collected_count == 1 { " payment" } @else { " payments" }
                    " on " (day.date.strftime("%a %-d %b").to_string())
                    @if sums.collected_count > 0 { " · card " (sums.card.markup()) " · cash " (sums.cash.markup()) } }
            }
            a.figure.s-pending href="/payments?state=pending" {
                h2 { i aria-hidden="true" { "◐" } " Pending" }
                strong { (sums.pending.markup()) }
                p {
                    @if sums.pending_count == 0 { "nothing waits for the bank" } @else {
                        (sums.pending_count) " taken offline, not agreed"
                        @if let Some(first) = sums.first_deadline_ms { " · first deadline " (view.until(first)) }
                    }
                }
            }
            a.figure href="/exceptions" .s-alert[sums.exception_count > 0] {
                h2 { i aria-hidden="true" { "▲" } " Exceptions" }
                strong { (sums.at_stake.markup()) }
                p {
                    @if sums.exception_count == 0 { "nothing needs a decision" }
                    @else { (sums.exception_count) " open, money at stake" }
                }
            }
        }
    }
}

fn day_bar(view: &View<'_>, day: &Day, visits: usize, done: usize) -> Markup {
    let link = |date: Date| format!("/?day={date}");
    let today = Day::at(view, view.now_ms).map(|today| today.date);
    html! {
        section.daybar {
            @if let Ok(before) = day.date.yesterday() { a.step href=(link(before)) title="The day before" { "‹" } }
            h1 { (day.date.strftime("%A %-d %B %Y").to_string()) }
            @if let Ok(after) = day.date.tomorrow() { a.step href=(link(after)) title="The day after" { "›" } }
            @if let Some(date) = today.filter(|date| *date != day.date) { a href=(link(date)) { "Today" } }
            @else { span.dim { "today" } }
            span.dim { (visits) @if visits == 1 { " visit" } @else { " visits" } ", " (done) " done" }
            span.legend {
                @for state in VisitState::ALL { (words::visit(state)) }
            }
        }
    }
}

fn hours() -> Markup {
    html! {
        div.lane.hours aria-hidden="true" {
            span.who {}
            div.track {
                @for hour in FIRST_HOUR..LAST_HOUR {
                    span class={ "hour s" ((hour - FIRST_HOUR) * 4) " w4" } { (format!("{hour:02}")) }
                }
            }
            span.heard { "last heard" }
        }
    }
}

/// Where a visit stands on the time line: its first quarter of an hour and how many.
fn place(view: &View<'_>, day: &Day, visit: &Visit) -> (i64, i64) {
    let open_ms = Day::of(view, day.date).map_or(day.from_ms, |d| d.from_ms) + FIRST_HOUR * 4 * QUARTER_MS;
    let all = i64::from(BOARD_QUARTERS);
    let start = (visit.start_ms - open_ms).div_euclid(QUARTER_MS).clamp(0, all - 1);
    let end = (visit.end_ms - open_ms + QUARTER_MS - 1).div_euclid(QUARTER_MS).clamp(start + 1, all);
    (start, end - start)
}

/// Gives each visit the first lane that is free; the last lane takes the rest.
fn lanes(places: &[(i64, i64)]) -> Vec<u32> {
    let mut free_from: Vec<i64> = Vec::new();
    let mut lanes = Vec::with_capacity(places.len());
    for (start, width) in places {
        let lane = free_from.iter().position(|free| free <= start).unwrap_or(free_from.len());
        let lane = lane.min(LANES_MAX as usize - 1);
        if lane == free_from.len() {
            free_from.push(0);
        }
        if let Some(free) = free_from.get_mut(lane) {
            *free = start + width;
        }
        lanes.push(u32::try_from(lane).unwrap_or(0) + 1);
    }
    lanes
}

fn row(view: &View<'_>, day: &Day, technician: &Technician, visits: &[&Visit]) -> Markup {
    let places: Vec<(i64, i64)> = visits.iter().map(|visit| place(view, day, visit)).collect();
    let lanes = lanes(&places);
    let done = visits.iter().filter(|visit| visit.state == VisitState::Done).count();
    let open_ms = day.from_ms + FIRST_HOUR * 4 * QUARTER_MS;
    let now = (view.now_ms - open_ms).div_euclid(QUARTER_MS);
    html! {
        div.lane {
            div.who {
                b { (technician.name) }
                span.dim {
                    @if !technician.devices.is_empty() { (technician.devices) " · " }
                    (done) "/" (visits.len()) " done"
                }
            }
            div.track {
                @if (0..i64::from(BOARD_QUARTERS)).contains(&now) { i class={ "now s" (now) } title="now" {} }
                @for ((visit, (start, width)), lane) in visits.iter().zip(&places).zip(&lanes) {
                    (block(view, visit, *width, &format!("s{start} w{width} l{lane}")))
                }
            }
            (heard(view, technician))
        }
    }
}

fn heard(view: &View<'_>, technician: &Technician) -> Markup {
    html! {
        div.heard {
            @match technician.heard_ms {
                None => span.dim { "never" },
                Some(ms) => {
                    @let quiet = view.now_ms.saturating_sub(ms) > QUIET_MS;
                    span .quiet[quiet] title=(view.exact(ms)) { @if quiet { "◌ " } (words::short_span(view.now_ms.saturating_sub(ms))) }
                }
            }
            @if technician.unsent > 0 { span.dim { (technician.unsent) " unsent" } }
        }
    }
}

fn block(view: &View<'_>, visit: &Visit, width: i64, place: &str) -> Markup {
    let (tone, shape) = words::visit_look(visit.state);
    let title = format!(
        "{} {}–{} {}, {} ({})",
        visit.number,
        view.clock(visit.start_ms),
        view.clock(visit.end_ms),
        visit.title,
        visit.customer,
        visit.state.word()
    );
    html! {
        a class={ "block " (tone) " " (place) @if width < WORD_QUARTERS { " slim" } } href={ "/jobs/" (visit.job) } title=(title) {
            span.line1 {
                i aria-hidden="true" { (shape) } " " b { (visit.state.word()) }
                @if visit.review == Review::Approved { " ✓" }
            }
            span.line2 { (visit.customer) }
            span.line3 {
                (flags(visit))
                @if let Some((tone, shape)) = words::money_look(visit.money) {
                    span class={ "m " (tone) } {
                        (shape) " " (visit.money.word())
                        @if let Some(amount) = amount_with_room(visit, width) { " " (amount) }
                    }
                } @else { span.dim { (view.clock(visit.start_ms)) " " (visit.title) } }
            }
        }
    }
}

/// The visit's total when all of it fits beside the word: half a number would be worse than none.
fn amount_with_room(visit: &Visit, width: i64) -> Option<String> {
    let amount = words::grouped(visit.total?);
    let flags = if visit.exceptions > 0 { 3 } else { 0 };
    let needed = flags + 2 + visit.money.word().chars().count() + 1 + amount.chars().count();
    let room = width * CHARS_IN_TEN_QUARTERS / 10 - EDGE_CHARS;
    i64::try_from(needed).is_ok_and(|needed| needed <= room).then_some(amount)
}

/// An exception or an emergency on a visit.
fn flags(visit: &Visit) -> Markup {
    html! {
        @if visit.exceptions > 0 { b.s-alert { "▲" (visit.exceptions) } " " }
        @if visit.priority == 3 && visit.state != VisitState::Done { b.s-alert { "!" } " " }
    }
}

fn tray(view: &View<'_>, visits: &[&Visit]) -> Markup {
    html! {
        section.tray aria-label="Not assigned" {
            h2 { "Not assigned" @if !visits.is_empty() { " " b.count.calm { (visits.len()) } } }
            @if visits.is_empty() { (layout::nothing("Every visit of this day has its technician.")) }
            @else {
                div.cards {
                    @for visit in visits {
                        a.card href={ "/jobs/" (visit.job) } {
                            b { (view.clock(visit.start_ms)) "–" (view.clock(visit.end_ms)) }
                            span { (flags(visit)) (visit.title) }
                            span.dim { (visit.customer) @if !visit.city.is_empty() { ", " (visit.city) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lanes;

    #[test]
    fn visits_that_overlap_stand_in_lanes() {
        assert_eq!(lanes(&[(0, 4), (4, 4), (6, 4), (8, 2), (12, 1)]), [1, 1, 2, 1, 1]);
        assert_eq!(lanes(&[(0, 9); 10]), [1, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
        assert!(lanes(&[]).is_empty());
    }
}
