//! The steps of a payment: create without charge, confirm, look up, cancel, capture. Each ends with the intent's own
//! state, read again whenever a write was not plainly answered.
//!
//! Invariant: a confirmation is sent only for an intent whose id the office has kept. Start at [`Rest::announce`].

use super::Rest;
use super::client::{Fields, Said};
use super::objects::{self, About, Intent, KEEP, KEY, Meaning, Page, parse};
use crate::office::processors::{Answer, Authorisation, FollowUp, Found, Kept, ProcessorError, Sent, Source};

/// Objects on a page; the most that such an API gives.
const PAGE: usize = 100;
/// Pages of a list at the most.
const PAGES_MAX: usize = 50;
/// How far the server's clock may be behind ours, seconds.
const CLOCK_S: i64 = 3_600;

/// A period, Unix seconds, the end excluded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub from: i64,
    pub until: Option<i64>,
}

/// What an answer about an attempt must be about.
pub(super) fn about(of: &Sent) -> About<'_> {
    About { id: of.reference.as_deref(), key: &of.key, amount_minor: of.amount_minor, currency: &of.currency }
}

fn doubt<T>(why: impl Into<String>) -> Result<T, ProcessorError> {
    Err(ProcessorError::InDoubt(why.into()))
}

impl Rest {
    /// Creates the intent, or finds the one that was created before; its id.
    pub(super) async fn announce(&self, request: &Authorisation) -> Result<String, ProcessorError> {
        let token = match &request.source {
            Source::OnFile(token) | Source::Agreed(Kept { token, .. }) => token,
            Source::Card(_) => {
                return Err(ProcessorError::Unable(
                    "such an API takes no card that met a reader, only cards that it keeps",
                ));
            }
        };
        let unsent = |why: ProcessorError| why.unsent("such an API cannot charge this card or this amount");
        let (customer, card) = objects::card(token).map_err(unsent)?;
        let (amount, currency) = objects::money(request.amount_minor, &request.currency).map_err(unsent)?;
        if let Some(there) = self.newest(&request.key, request.at_ms).await? {
            return Ok(there.about(&about_request(request))?.id);
        }
        let kept = match customer {
            None if request.keep_card => self.keep(&request.key, request.at_ms, card).await?,
            Some(_) | None => None,
        };
        let (customer, card) = match &kept {
            Some((customer, card)) => (Some(customer.as_str()), card.as_str()),
            None => (customer, card),
        };
        let (key, keep) = (format!("metadata[{KEY}]"), format!("metadata[{KEEP}]"));
        let mut form = vec![
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("payment_method", card),
            ("payment_method_types[]", "card"),
            ("capture_method", "manual"),
            (&key, &request.key),
            ("metadata[tillroll_rrn]", &request.rrn),
            ("metadata[tillroll_terminal]", &request.terminal),
        ];
        form.extend(customer.map(|customer| ("customer", customer)));
        if kept.is_some() || (request.keep_card && customer.is_some()) {
            form.push((&keep, "yes"));
        }
        let said = self.client.post("/v1/payment_intents", &form, &format!("{}:create", request.key)).await?;
        match said.status {
            200 => Ok(parse::<Intent>(said.body)?.about(&about_request(request))?.id),
            _ if said.is_refusal() => Err(ProcessorError::Refused(said.why())),
            _ => Err(said.doubt()),
        }
    }

    /// Confirms it: the card is asked.
    pub(super) async fn confirm(&self, request: &Authorisation) -> Result<Answer, ProcessorError> {
        let Some(id) = request.reference.as_deref() else {
            return Err(ProcessorError::Refused("it was not announced, so it is not charged".to_owned()));
        };
        let about = about_request(request);
        let form: &Fields<'_> = if self.plain { &[] } else { &[("off_session", "true")] };
        let said = self.write(id, "confirm", form, &format!("{}:confirm", request.key)).await?;
        let intent = self.after(said, &about, id).await?;
        match intent.meaning() {
            Meaning::Answered(answer) => Ok(answer),
            Meaning::AsksHolder => self.nobody_there(&intent, &about).await,
            Meaning::Captured(_) => doubt("it was captured, and nobody asked for that"),
            Meaning::Unconfirmed => doubt("it was not confirmed"),
            Meaning::Reversed => doubt("it was cancelled before"),
            Meaning::Odd(why) => doubt(why),
        }
    }

    /// What became of it.
    pub(super) async fn find(&self, of: &Sent) -> Result<Found, ProcessorError> {
        let about = about(of);
        let Some(intent) = self.intent(of, &about).await? else { return Ok(Found::Nothing) };
        match intent.meaning() {
            Meaning::Unconfirmed => Ok(Found::Unfinished { reference: intent.id }),
            Meaning::Answered(answer) => Ok(Found::Answered { answer, captured_minor: 0 }),
            Meaning::Captured(answer) => {
                Ok(Found::Answered { answer, captured_minor: self.captured(&intent).await?.captured_minor })
            }
            Meaning::AsksHolder => {
                let answer = self.nobody_there(&intent, &about).await?;
                Ok(Found::Answered { answer, captured_minor: 0 })
            }
            Meaning::Reversed => Ok(Found::Reversed),
            Meaning::Odd(why) => doubt(why),
        }
    }

    /// Cancels it, or gives all of it back if it was captured. One that never arrived cannot be confirmed any more,
    /// since nobody knows its id.
    pub(super) async fn take_back(&self, of: &FollowUp) -> Result<(), ProcessorError> {
        let about = about(&of.of);
        let Some(intent) = self.intent(&of.of, &about).await? else { return Ok(()) };
        match intent.meaning() {
            Meaning::Reversed => Ok(()),
            Meaning::Captured(_) => self.give_all_back(of, &intent).await,
            Meaning::Unconfirmed | Meaning::Answered(_) | Meaning::AsksHolder | Meaning::Odd(_) => {
                self.cancel(&intent.id, &about).await
            }
        }
    }

    /// Captures so much; what is captured then.
    pub(super) async fn collect(&self, of: &FollowUp) -> Result<i64, ProcessorError> {
        let about = about(&of.of);
        let id = match &of.of.reference {
            Some(id) => id.clone(),
            None => match self.intent(&of.of, &about).await? {
                Some(intent) => intent.id,
                None => return Err(ProcessorError::Refused("there is nothing to capture".to_owned())),
            },
        };
        let amount = of.amount_minor.to_string();
        let said = self.write(&id, "capture", &[("amount_to_capture", &amount)], &of.key).await?;
        let intent = self.after(said, &about, &id).await?;
        match intent.meaning() {
            Meaning::Captured(_) => {
                let minor = self.captured(&intent).await?.captured_minor;
                if minor == of.amount_minor {
                    return Ok(minor);
                }
                Err(ProcessorError::Refused(format!("it was captured before with another amount: {minor} minor units")))
            }
            Meaning::Reversed => Err(ProcessorError::Refused("it was cancelled before".to_owned())),
            Meaning::Unconfirmed | Meaning::Answered(_) | Meaning::AsksHolder => doubt("it was not captured"),
            Meaning::Odd(why) => doubt(why),
        }
    }

    /// The card holder would have to confirm it, and is not there: cancelled, and as good as declined.
    async fn nobody_there(&self, intent: &Intent, about: &About<'_>) -> Result<Answer, ProcessorError> {
        self.cancel(&intent.id, about).await?;
        Ok(objects::declined(objects::ASKS_HOLDER))
    }

    async fn cancel(&self, id: &str, about: &About<'_>) -> Result<(), ProcessorError> {
        let said = self.write(id, "cancel", &[], &format!("{}:cancel", about.key)).await?;
        match self.after(said, about, id).await?.meaning() {
            Meaning::Reversed => Ok(()),
            Meaning::Unconfirmed
            | Meaning::Answered(_)
            | Meaning::Captured(_)
            | Meaning::AsksHolder
            | Meaning::Odd(_) => doubt("the cancellation was not confirmed"),
        }
    }

    async fn write(&self, id: &str, verb: &str, form: &Fields<'_>, once: &str) -> Result<Said, ProcessorError> {
        self.client.post(&format!("/v1/payment_intents/{}/{verb}", objects::id(id)?), form, once).await
    }

    /// The intent after a write. What was refused may have been done before, or be impossible: its state tells.
    async fn after(&self, said: Said, about: &About<'_>, id: &str) -> Result<Intent, ProcessorError> {
        let about = About { id: Some(id), ..*about };
        match said.status {
            200 => parse::<Intent>(said.body)?.about(&about),
            _ if said.is_refusal() => self.read(id).await?.about(&about),
            _ => Err(said.doubt()),
        }
    }

    /// The intent with this id, its charge whole.
    pub(super) async fn read(&self, id: &str) -> Result<Intent, ProcessorError> {
        let path = format!("/v1/payment_intents/{}", objects::id(id)?);
        let said = self.client.get(&path, &[("expand[]", "latest_charge")]).await?;
        match said.status {
            200 => parse(said.body),
            _ => Err(said.doubt()),
        }
    }

    /// The intent of an attempt: by its id if that was kept, else by our key.
    pub(super) async fn intent(&self, of: &Sent, about: &About<'_>) -> Result<Option<Intent>, ProcessorError> {
        let found = match &of.reference {
            Some(id) => Some(self.read(id).await?),
            None => self.newest(&of.key, of.at_ms).await?,
        };
        found.map(|intent| intent.about(about)).transpose()
    }

    /// The intent with our key. Of several (only one can have been confirmed) the one that has got furthest.
    async fn newest(&self, key: &str, at_ms: i64) -> Result<Option<Intent>, ProcessorError> {
        let period = Period { from: at_ms / 1_000 - CLOCK_S, until: None };
        let mut ours = self.list::<Intent>("/v1/payment_intents", &[], Some(period), |i| i.key() == Some(key)).await?;
        let rank = |intent: &Intent| match intent.meaning() {
            Meaning::Captured(_) => 0,
            Meaning::Answered(_) => 1,
            Meaning::AsksHolder | Meaning::Odd(_) => 2,
            Meaning::Unconfirmed => 3,
            Meaning::Reversed => 4,
        };
        ours.sort_by_key(rank);
        Ok(ours.into_iter().next())
    }

    /// Everything on a list that is wanted. A list that does not end is in doubt.
    pub(super) async fn list<T: for<'a> serde::Deserialize<'a>>(
        &self,
        path: &str,
        query: &Fields<'_>,
        period: Option<Period>,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, ProcessorError> {
        let limit = PAGE.to_string();
        let period = period.filter(|_| !self.plain);
        let from = period.map(|period| period.from.to_string());
        let until = period.and_then(|period| period.until).map(|until| until.to_string());
        let mut after: Option<String> = None;
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut fields = vec![("limit", limit.as_str())];
            fields.extend_from_slice(query);
            fields.extend(from.as_deref().map(|from| ("created[gte]", from)));
            fields.extend(until.as_deref().map(|until| ("created[lt]", until)));
            fields.extend(after.as_deref().map(|after| ("starting_after", after)));
            let said = self.client.get(path, &fields).await?;
            if said.status != 200 {
                return Err(said.doubt());
            }
            let page: Page<serde_json::Value> = parse(said.body)?;
            let last = page.data.last().and_then(|item| item.get("id")).and_then(serde_json::Value::as_str);
            let last = last.map(|last| objects::id(last).map(str::to_owned)).transpose()?;
            for item in page.data {
                let ours = item.get("metadata").and_then(|noted| noted.get(KEY)).is_some();
                match serde_json::from_value::<T>(item) {
                    Ok(item) if wanted(&item) => found.push(item),
                    Ok(_) => {}
                    Err(why) if ours => return doubt(format!("the processor's list is not like one: {why}")),
                    // Others may use the account too, for things that are not like ours.
                    Err(_) => {}
                }
            }
            if !page.has_more {
                return Ok(found);
            }
            match last {
                Some(last) if after.as_ref() != Some(&last) => after = Some(last),
                Some(_) | None => return doubt("the processor's list goes round in circles"),
            }
        }
        doubt(format!("the processor's list has more than {PAGES_MAX} pages"))
    }
}

fn about_request(request: &Authorisation) -> About<'_> {
    About {
        id: request.reference.as_deref(),
        key: &request.key,
        amount_minor: request.amount_minor,
        currency: &request.currency,
    }
}
