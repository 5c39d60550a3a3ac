//! Deposits that are taken back, given back or short, on one handheld and on several.

use crate::till::Till;
use tillroll::domain::money::{Currency, Money};

#[test]
fn deposits_in_two_currencies_are_no_one_sum() {
    let mut till = Till::new();
    let euro = till.deposit(2_000).unwrap();
    till.cash(&euro, 2_000).unwrap();
    let dollars = Money::new(500, "USD".parse::<Currency>().unwrap());
    let dollar = till.deposit_of(dollars).unwrap();
    till.cash_of(&dollar, dollars).unwrap();
    assert_eq!(till.detail().row.deposit, Some(crate::till::eur(2_000)), "the day's list is there, with the first");
    till.invoice();
    assert_eq!(till.open().0, 1_450);
}

#[test]
fn a_job_that_goes_to_somebody_else_stays_where_money_was_taken_for_it() {
    let mut till = Till::new();
    let (job, _) = till.bare_job();
    assert_eq!(till.today(), 2);
    till.gone(job);
    assert_eq!(till.today(), 1, "nothing was done there");
    let (job, visit) = till.bare_job();
    let deposit = till.deposit_for(job, visit, 2_000);
    till.cash(&deposit, 2_000).unwrap();
    till.gone(job);
    assert_eq!(till.today(), 2, "who took it can give it back");
}
