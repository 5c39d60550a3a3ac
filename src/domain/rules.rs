//! What the office lets technicians do where money is taken: tips, cash rounding, surcharges and discounts. The document
//! `rules` of the feed; [`Rules::NONE`] without one.
//!
//! Invariant: pure; an amount over a limit is refused with a sentence, never cut silently.

use super::consent::ConsentText;
use super::money::{Money, MoneyError, mul_div_round};
use super::payment::Extras;
use serde::{Deserialize, Serialize};

/// The most that any rule may add or take, basis points.
pub const RATE_MAX_BP: u32 = 10_000;

/// Tips.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TipRule {
    /// Offered to begin with, per cent; at most three are shown.
    pub presets_percent: Vec<u8>,
    /// The most, per cent of what is paid.
    pub max_percent: u16,
}

/// How the card is funded, where its data say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funding {
    /// From the holder's account.
    Debit,
    /// On credit.
    Credit,
    /// A company's.
    Commercial,
    /// Paid before.
    Prepaid,
}

/// A surcharge for credit cards: where, when, how much. Off without a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurchargeRule {
    /// ISO 3166 code of the country, or country and subdivision (`US-TX`), of the site.
    pub place: String,
    /// First day, `2026-11-24`.
    pub from: String,
    /// Last day; none for open.
    #[serde(default)]
    pub until: Option<String>,
    /// Of what is paid without tip, basis points.
    pub rate_bp: u32,
    /// The most that the scheme or the law allows, basis points.
    pub cap_bp: u32,
}

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The smallest coin, minor units: 5 rounds cash to five cents, 1 does not round.
    #[serde(default = "one")]
    pub cash_step_minor: i64,
    /// Off for paying in cash, basis points.
    #[serde(default)]
    pub cash_discount_bp: u32,
    /// The most that a refund which is linked to no payment may ask for, minor units; 0 for none at all.
    #[serde(default)]
    pub unlinked_refund_max_minor: i64,
    /// Tips; none without it.
    #[serde(default)]
    pub tips: Option<TipRule>,
    /// Surcharges for credit cards.
    #[serde(default)]
    pub surcharges: Vec<SurchargeRule>,
    /// A manager's PIN, as Argon2id writes it (PHC string); nobody is a manager without it.
    #[serde(default)]
    pub manager_pin: Option<String>,
    /// What a customer agrees to before a card is kept; no card is kept without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_consent: Option<ConsentText>,
}

fn one() -> i64 {
    1
}

/// Why the rules do not allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleRefusal {
    /// No tips here.
    #[error("tips are not taken: the office has switched them off")]
    NoTips,
    /// Over the limit.
    #[error("a tip may be at most {0}: take less")]
    TipTooLarge(Money),
    /// Arithmetic.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Rules that cannot be.
    #[error("{0}")]
    Bad(String),
}

impl RuleRefusal {
    /// The same amount is always refused by the same rules.
    pub fn is_permanent(&self) -> bool {
        true
    }
}

impl Rules {
    /// No tips, no rounding, nothing on top or off.
    pub const NONE: Rules = Rules {
        cash_step_minor: 1,
        cash_discount_bp: 0,
        unlinked_refund_max_minor: 0,
        tips: None,
        surcharges: Vec::new(),
        manager_pin: None,
        card_consent: None,
    };

    /// Whether they can be followed.
    ///
    /// # Errors
    /// Which of them cannot be.
    pub fn check(&self) -> Result<(), RuleRefusal> {
        let bad = |why: &str| Err(RuleRefusal::Bad(why.to_owned()));
        let rates = self.surcharges.iter().flat_map(|rule| [rule.rate_bp, rule.cap_bp]);
        if self.cash_step_minor < 1 {
            return bad("cash_step_minor: the smallest coin is one minor unit or more");
        }
        if self.unlinked_refund_max_minor < 0 {
            return bad("unlinked_refund_max_minor: the most is 0 for none, or an amount in minor units");
        }
        if rates.chain([self.cash_discount_bp]).any(|rate| rate > RATE_MAX_BP) {
            return bad("a rate is over 10000 basis points, which is 100 %");
        }
        if self.tips.as_ref().is_some_and(|tips| tips.presets_percent.iter().any(|p| u16::from(*p) > tips.max_percent))
        {
            return bad("tips.presets_percent: one of them is over tips.max_percent");
        }
        let day = |text: &str| text.parse::<jiff::civil::Date>().is_ok();
        let days = |rule: &SurchargeRule| day(&rule.from) && rule.until.as_deref().is_none_or(day);
        if !self.surcharges.iter().all(days) {
            return bad("a surcharge's from and until are days such as 2026-11-24");
        }
        if let Some(Err(why)) = self.card_consent.as_ref().map(ConsentText::check) {
            return bad(why);
        }
        Ok(())
    }

    /// The tips to choose from, with their per cent.
    pub fn tip_presets(&self, base: Money) -> Vec<(u8, Money)> {
        let presets = self.tips.iter().flat_map(|tips| &tips.presets_percent).take(3);
        let of = |percent: &u8| mul_div_round(base.minor, i64::from(*percent), 100).ok().map(|minor| (*percent, minor));
        presets.filter_map(of).map(|(percent, minor)| (percent, Money::new(minor, base.currency))).collect()
    }

    /// Whether a tip may be taken.
    ///
    /// # Errors
    /// Why not.
    pub fn check_tip(&self, base: Money, tip_minor: i64) -> Result<(), RuleRefusal> {
        let Some(tips) = &self.tips else {
            return if tip_minor == 0 { Ok(()) } else { Err(RuleRefusal::NoTips) };
        };
        let most = mul_div_round(base.minor, i64::from(tips.max_percent), 100)?;
        if (0..=most).contains(&tip_minor) {
            Ok(())
        } else {
            Err(RuleRefusal::TipTooLarge(Money::new(most, base.currency)))
        }
    }

    /// What paying `base` in cash adds and takes: the tip, the discount, and what coins cannot pay.
    ///
    /// # Errors
    /// An overflow.
    pub fn cash(&self, base: Money, tip_minor: i64) -> Result<Extras, MoneyError> {
        let off = mul_div_round(base.minor, i64::from(self.cash_discount_bp), 10_000)?;
        let exact = Extras { tip_minor, surcharge_minor: -off, rounding_minor: 0 };
        let sum = base.minor.checked_add(exact.sum_minor()?).ok_or(MoneyError::Overflow)?;
        let step = self.cash_step_minor.max(1);
        let coins = mul_div_round(sum, 1, step)?.checked_mul(step).ok_or(MoneyError::Overflow)?;
        // What is less than half a coin is still something to pay.
        let coins = if coins == 0 && sum > 0 { sum } else { coins };
        Ok(Extras { rounding_minor: coins - sum, ..exact })
    }

    /// The surcharge on `base` paid by a card of this funding: nothing unless it is known to be a credit card.
    ///
    /// # Errors
    /// An overflow.
    pub fn surcharge(
        &self,
        base: Money,
        place: &str,
        day: jiff::civil::Date,
        funding: Option<Funding>,
    ) -> Result<i64, MoneyError> {
        let Some(Funding::Credit) = funding else { return Ok(0) };
        let on = |text: &str| text.parse::<jiff::civil::Date>().ok();
        let fits = |rule: &&SurchargeRule| {
            let begun = on(&rule.from).is_some_and(|from| from <= day);
            let over = rule.until.as_deref().and_then(on).is_some_and(|until| until < day);
            rule.place.eq_ignore_ascii_case(place) && begun && !over
        };
        let Some(rule) = self.surcharges.iter().find(fits) else { return Ok(0) };
        mul_div_round(base.minor, i64::from(rule.rate_bp.min(rule.cap_bp)), 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn eur(minor: i64) -> Money {
        Money::new(minor, Currency::EUR)
    }

    fn rules() -> Rules {
        Rules {
            cash_step_minor: 5,
            cash_discount_bp: 200,
            unlinked_refund_max_minor: 0,
            tips: Some(TipRule { presets_percent: vec![5, 10, 15], max_percent: 20 }),
            surcharges: vec![SurchargeRule {
                place: "US-TX".into(),
                from: "2026-01-01".into(),
                until: Some("2026-12-31".into()),
                rate_bp: 400,
                cap_bp: 300,
            }],
            manager_pin: None,
            card_consent: None,
        }
    }

    #[test]
    fn tips_have_presets_and_a_limit() {
        let presets: Vec<i64> = rules().tip_presets(eur(9_990)).iter().map(|(_, tip)| tip.minor).collect();
        assert_eq!(presets, [500, 999, 1_499]);
        assert_eq!(rules().check_tip(eur(10_000), 2_000), Ok(()));
        assert_eq!(rules().check_tip(eur(10_000), 2_001), Err(RuleRefusal::TipTooLarge(eur(2_000))));
        assert!(rules().check_tip(eur(10_000), -1).is_err());
        assert_eq!(Rules::NONE.check_tip(eur(10_000), 1), Err(RuleRefusal::NoTips));
        assert_eq!(Rules::NONE.check_tip(eur(10_000), 0), Ok(()));
    }

    #[test]
    fn cash_is_discounted_then_rounded_to_coins() {
        let check = |base, tip, expect: (i64, i64)| {
            let extras = rules().cash(eur(base), tip).unwrap();
            assert_eq!((extras.surcharge_minor, extras.rounding_minor), expect, "{base}");
            assert_eq!((base + extras.sum_minor().unwrap()) % 5, 0);
        };
        check(10_000, 0, (-200, 0));
        check(9_999, 0, (-200, 1));
        check(9_999, 3, (-200, -2));
        assert_eq!(Rules::NONE.cash(eur(9_999), 1).unwrap(), Extras { tip_minor: 1, ..Extras::NONE });
        assert_eq!(rules().cash(eur(1), 0).unwrap().rounding_minor, 0, "nothing is given away");
    }

    #[test]
    fn surcharges_are_for_credit_cards_alone_in_their_place_and_time_and_capped() {
        let on =
            |place, day: &str, funding| rules().surcharge(eur(10_000), place, day.parse().unwrap(), funding).unwrap();
        let credit = Some(Funding::Credit);
        assert_eq!(on("US-TX", "2026-11-24", credit), 300);
        for (place, day, funding) in [
            ("US-TX", "2026-11-24", None),
            ("US-TX", "2026-11-24", Some(Funding::Debit)),
            ("US-TX", "2026-11-24", Some(Funding::Prepaid)),
            ("US-CT", "2026-11-24", credit),
            ("US-TX", "2025-12-31", credit),
            ("US-TX", "2027-01-01", credit),
        ] {
            assert_eq!(on(place, day, funding), 0, "{place} {day} {funding:?}");
        }
    }

    #[test]
    fn rules_that_cannot_be_are_named() {
        assert_eq!(rules().check(), Ok(()));
        let told = |rules: Rules| rules.check().unwrap_err().to_string();
        assert!(told(Rules { cash_step_minor: 0, ..rules() }).contains("cash_step_minor"));
        assert!(told(Rules { cash_discount_bp: 10_001, ..rules() }).contains("basis points"));
        let tips = Some(TipRule { presets_percent: vec![30], max_percent: 20 });
        assert!(told(Rules { tips, ..rules() }).contains("presets_percent"));
        let card_consent = Some(ConsentText { version: "1".into(), text: String::new() });
        assert!(told(Rules { card_consent, ..rules() }).contains("card_consent.text"));
        let surcharges = vec![SurchargeRule { from: "tomorrow".into(), ..rules().surcharges[0].clone() }];
        assert!(told(Rules { surcharges, ..rules() }).contains("2026-11-24"));
    }
}
