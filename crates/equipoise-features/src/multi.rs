//! All platforms at once: takes the world's events, routes them, and takes snapshots at planned cut-offs.

use crate::{ContactBlock, FeatureError, FeatureSpec, FeatureStream, RowBlock, RuleBlock, SequenceBlock};
use equipoise_core::{Event, EventSink, PlatformId, PlatformView, SimTime};

/// Strictly increasing cut-offs, each of which must be the end of a tick.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SnapshotPlan(Vec<SimTime>);

impl SnapshotPlan {
    /// A plan of these cut-offs.
    ///
    /// # Errors
    /// If they do not strictly increase.
    pub fn new(cutoffs: Vec<SimTime>) -> Result<Self, FeatureError> {
        match cutoffs.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(FeatureError::UnsortedPlan { earlier: pair[0], later: pair[1] }),
            None => Ok(Self(cutoffs)),
        }
    }

    /// The cut-offs.
    #[must_use]
    pub fn cutoffs(&self) -> &[SimTime] {
        &self.0
    }
}

/// One [`FeatureStream`] per platform behind core's [`EventSink`]. Each planned cut-off gives, per platform, the rows of
/// all accounts created before it. Platforms do not see each other.
#[derive(Debug)]
pub struct MultiStream {
    streams: Vec<FeatureStream>,
    plan: SnapshotPlan,
    /// Per stream: the next cut-off of the plan.
    next: Vec<usize>,
    rows: Vec<RowBlock>,
    rules: Vec<RuleBlock>,
    /// None unless asked for: most studies read rows only.
    sequences: Option<Vec<SequenceBlock>>,
    /// None unless asked for, for the same reason.
    contacts: Option<Vec<ContactBlock>>,
    error: Option<FeatureError>,
}

impl MultiStream {
    /// Engines for `views` that have seen nothing yet.
    ///
    /// # Errors
    /// If the spec is out of its limits or two views carry the same id.
    pub fn new(views: &[PlatformView], spec: &FeatureSpec, plan: SnapshotPlan) -> Result<Self, FeatureError> {
        for (at, view) in views.iter().enumerate() {
            if views[..at].iter().any(|other| other.id == view.id) {
                return Err(FeatureError::RepeatedPlatform(view.id));
            }
        }
        let streams =
            views.iter().map(|view| FeatureStream::new(view, spec)).collect::<Result<Vec<_>, _>>()?;
        let next = vec![0; streams.len()];
        let (rows, rules) = (Vec::new(), Vec::new());
        Ok(Self { streams, plan, next, rows, rules, sequences: None, contacts: None, error: None })
    }

    /// The same engines, which also keep the sequences of every snapshot.
    #[must_use]
    pub fn with_sequences(mut self) -> Self {
        self.sequences = Some(Vec::new());
        self
    }

    /// The same engines, which also keep what each contact adds to each row of every snapshot.
    #[must_use]
    pub fn with_contacts(mut self) -> Self {
        self.contacts = Some(Vec::new());
        self
    }

    /// The engine of a platform.
    #[must_use]
    pub fn stream(&self, platform: PlatformId) -> Option<&FeatureStream> {
        self.streams.iter().find(|stream| stream.platform() == platform)
    }

    /// The engine of a platform, for instance to [`refresh`](FeatureStream::refresh) its profiles.
    pub fn stream_mut(&mut self, platform: PlatformId) -> Option<&mut FeatureStream> {
        self.streams.iter_mut().find(|stream| stream.platform() == platform)
    }

    /// What went wrong so far. After an error, events are ignored.
    ///
    /// # Errors
    /// The first error.
    pub fn check(&self) -> Result<(), FeatureError> {
        self.error.map_or(Ok(()), Err)
    }

    /// Takes the snapshots made since the last call, in the order in which they were made.
    ///
    /// # Errors
    /// The first error of the stream.
    pub fn take(&mut self) -> Result<(Vec<RowBlock>, Vec<RuleBlock>), FeatureError> {
        self.check()?;
        Ok((std::mem::take(&mut self.rows), std::mem::take(&mut self.rules)))
    }

    /// Takes the sequences of the snapshots made since the last call, by cut-off, then by platform; none unless
    /// [`with_sequences`](Self::with_sequences) asked for them.
    pub fn take_sequences(&mut self) -> Vec<SequenceBlock> {
        let mut taken = self.sequences.as_mut().map(std::mem::take).unwrap_or_default();
        taken.sort_by_key(|block| (block.cutoff, block.platform));
        taken
    }

    /// Takes what contacts add to the rows of the snapshots made since the last call, by cut-off, then by platform; nothing unless
    /// [`with_contacts`](Self::with_contacts) asked for it.
    pub fn take_contacts(&mut self) -> Vec<ContactBlock> {
        let mut taken = self.contacts.as_mut().map(std::mem::take).unwrap_or_default();
        taken.sort_by_key(|block| (block.cutoff, block.platform));
        taken
    }

    /// Ends the stream and gives the snapshots that were not taken, by cut-off, then by platform.
    ///
    /// # Errors
    /// The first error of the stream, or a planned cut-off that some platform did not reach.
    pub fn finish(mut self) -> Result<(Vec<RowBlock>, Vec<RuleBlock>), FeatureError> {
        self.check()?;
        if let Some(&cutoff) = self.next.iter().filter_map(|&next| self.plan.0.get(next)).min() {
            return Err(FeatureError::CutoffNotReached(cutoff));
        }
        self.rows.sort_by_key(|block| (block.cutoff, block.platform));
        self.rules.sort_by_key(|block| (block.cutoff, block.platform));
        Ok((self.rows, self.rules))
    }

    fn route(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) -> Result<(), FeatureError> {
        let found = self.streams.iter().position(|stream| stream.platform() == platform);
        let at = found.ok_or(FeatureError::UnknownPlatform(platform))?;
        let cutoff = self.plan.0.get(self.next[at]).copied();
        if let Some(cutoff) = cutoff.filter(|&cutoff| cutoff < until) {
            return Err(FeatureError::CutoffInsideBatch { platform, cutoff, until });
        }
        let stream = &mut self.streams[at];
        stream.observe(until, events);
        if cutoff == Some(until) {
            let accounts = stream.existing(until);
            self.rows.push(stream.snapshot(&accounts));
            self.rules.push(stream.rule_block(&accounts));
            if let Some(sequences) = &mut self.sequences {
                sequences.push(stream.sequence_block(&accounts));
            }
            if let Some(contacts) = &mut self.contacts {
                contacts.push(stream.contact_block(&accounts));
            }
            self.next[at] += 1;
        }
        Ok(())
    }
}

impl EventSink for MultiStream {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        if self.error.is_none() {
            self.error = self.route(platform, until, events).err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Token;
    use crate::test_world::{spec, view};
    use equipoise_core::{AccountId, AccountProfile, AgeBand, EventKind};

    const DAY_1: SimTime = SimTime::from_days(1);
    const DAY_2: SimTime = SimTime::from_days(2);

    fn multi(cutoffs: &[SimTime]) -> MultiStream {
        let profile = |day| AccountProfile {
            declared_age: Some(AgeBand::Adult),
            region: None,
            created: SimTime::from_days(day),
        };
        let first = view(vec![profile(-5), profile(1), profile(2)]);
        let second = PlatformView { id: PlatformId(1), profiles: Vec::new(), ..first.clone() };
        let plan = SnapshotPlan::new(cutoffs.to_vec()).unwrap();
        MultiStream::new(&[first, second], &spec(2, true), plan).unwrap()
    }

    fn tick(stream: &mut MultiStream, until: SimTime) {
        stream.on_events(PlatformId(0), until, &[]);
        stream.on_events(PlatformId(1), until, &[]);
    }

    #[test]
    fn a_cutoff_on_the_end_of_a_tick_gives_the_accounts_created_strictly_before_it() {
        let mut stream = multi(&[DAY_1, DAY_2]);
        tick(&mut stream, DAY_1);
        assert_eq!(stream.take().unwrap().0.len(), 2);
        tick(&mut stream, DAY_2);
        let (rows, rules) = stream.finish().unwrap();
        assert_eq!(rows.iter().map(RowBlock::rows).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(rules[0].accounts, rows[0].accounts);
    }

    /// The oracle of a sequence is the stream's own; here it must arrive beside its row, and only if asked for.
    #[test]
    fn sequences_stand_beside_the_rows_of_their_snapshot() {
        let events = [(0, EventKind::Search), (60, EventKind::Search), (90, EventKind::ProfileChange)]
            .map(|(time, kind)| Event::new(SimTime(time), AccountId(0), AccountId::NONE, kind));
        let run = |mut stream: MultiStream| {
            stream.on_events(PlatformId(0), DAY_1, &events);
            stream.on_events(PlatformId(1), DAY_1, &[]);
            let sequences = stream.take_sequences();
            (stream.finish().unwrap().0, sequences)
        };
        assert!(run(multi(&[DAY_1])).1.is_empty());
        let (rows, sequences) = run(multi(&[DAY_1]).with_sequences());
        assert_eq!((rows.len(), sequences.len()), (2, 2));
        assert_eq!(sequences[0].accounts, rows[0].accounts);
        let tokens: Vec<Token> =
            sequences[0].sequence(0).iter().map(|&code| Token::from_code(code).unwrap()).collect();
        assert_eq!(tokens.iter().map(|token| token.gap_bucket).collect::<Vec<_>>(), [0, 5, 4]);
        assert_eq!(tokens[2].kind, EventKind::ProfileChange);
        assert_eq!(sequences[1].ends, Vec::<u32>::new());
    }

    #[test]
    fn a_cutoff_inside_a_batch_is_an_error_that_stays() {
        let mut stream = multi(&[DAY_1]);
        tick(&mut stream, DAY_2);
        let want = FeatureError::CutoffInsideBatch { platform: PlatformId(0), cutoff: DAY_1, until: DAY_2 };
        assert_eq!(stream.check(), Err(want));
        assert_eq!(stream.finish().unwrap_err(), want);
    }

    #[test]
    fn a_plan_must_increase_and_be_reached() {
        let want = FeatureError::UnsortedPlan { earlier: DAY_2, later: DAY_2 };
        assert_eq!(SnapshotPlan::new(vec![DAY_1, DAY_2, DAY_2]), Err(want));
        assert_eq!(multi(&[DAY_2]).finish().unwrap_err(), FeatureError::CutoffNotReached(DAY_2));
    }

    #[test]
    fn events_of_an_unknown_platform_are_an_error() {
        let mut stream = multi(&[]);
        stream.on_events(PlatformId(7), DAY_1, &[]);
        assert_eq!(stream.check(), Err(FeatureError::UnknownPlatform(PlatformId(7))));
    }
}
