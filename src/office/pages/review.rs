//! Finished visits that wait for a word of the office.

use super::error::PageError;
use super::job::approve_form;
use super::layout::{self, Page};
use super::query::board::{self, JOBS_MAX, Which};
use super::{View, words};
use maud::html;

pub(super) fn page(view: &View<'_>) -> Result<Page, PageError> {
    let visits = board::visits(view.db, &Which::ToReview)?;
    let body = html! {
        section.titlebar { h1 { "Review" } span.dim { "finished visits, oldest first" } }
        @if visits.is_empty() { (layout::nothing("Nothing to review: every finished visit is approved.")) }
        @else {
            table.list {
                thead { tr {
                    th { "Done" } th { "Job" } th { "Technician" } th { "Money" } th.n { "Total" } th {} th {}
                } }
                tbody {
                    @for visit in &visits {
                        tr .wants[visit.exceptions > 0] {
                            td { @if let Some(ms) = visit.changed_ms { span title=(view.exact(ms)) { (view.when(ms)) } } }
                            td { a href={ "/jobs/" (visit.job) } { (visit.title) } br;
                                span.dim { (visit.number) " · " (visit.customer) } }
                            td { (visit.technician_name.as_deref().unwrap_or("–")) }
                            td { (words::money_state(visit.money)) }
                            td.n { @if let Some(total) = visit.total { (words::money(total)) } @else { span.dim { "no invoice" } } }
                            td { @if visit.exceptions > 0 {
                                a href={ "/jobs/" (visit.job) } {
                                    (words::state("s-alert", "▲", &format!("{} OPEN", visit.exceptions))) }
                            } }
                            td.act { (approve_form(view, &visit.job, "review")) }
                        }
                    }
                }
            }
            @if visits.len() == JOBS_MAX as usize { p.dim { "The first " (JOBS_MAX) " are shown." } }
        }
    };
    Ok(Page { title: "Review".to_owned(), at: "/review", body })
}
