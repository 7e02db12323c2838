//! A round over readable sums allocates nothing a client: counted by an allocator of this test's own. The only test of its process,
//! so that nobody else's memory is counted.
#![allow(unsafe_code, clippy::unwrap_used)] // An allocator is unsafe by its trait; this one only counts.

use equipoise_core::{ClipNorm, Fraction, Params, Seed};
use equipoise_federated::{
    Aggregation, CohortSpec, Contribution, Divisor, DynSecureSum, FedAvg, Federation, FederationState,
    LocalTrainer, NoCompression, Outcome, Plain, RoundCtx, ScheduleSpec, ServerSgd, TrainError, TrainStats,
    TrainerFactory, Untimed, VectorSpec,
};
use equipoise_privacy::{MechanismSpec, NoNoiseSpec, Quantizer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size(), Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PARAMETERS: usize = 1_000;

struct Devices(u32);
struct Worker;

impl LocalTrainer for Worker {
    fn train(
        &mut self,
        _: &[f32],
        client: u32,
        _: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        update.fill(client as f32 * 1e-4);
        Ok(TrainStats { rows: 1, steps: 1, outcome: Outcome::Trained, contribution: Contribution::Delta })
    }
}

impl TrainerFactory for Devices {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Worker))
    }
    fn clients(&self) -> u32 {
        self.0
    }
    fn layers(&self) -> Vec<std::ops::Range<usize>> {
        std::iter::once(0..PARAMETERS).collect()
    }
    fn size(&self, _: u32) -> u64 {
        1
    }
    fn weight(&self, _: u32) -> u32 {
        1
    }
}

/// Allocations and bytes of a round of `cohort` out of `devices` on `threads`, after one to warm up.
fn counted(devices: u32, cohort: u32, threads: usize) -> (usize, usize) {
    let quantizer = Quantizer { clip_abs: 4.0, bits: 24 };
    let spec = VectorSpec { len: PARAMETERS, quantizer, max_weight: 1, max_clients: devices };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers: &Devices(devices),
        local: &FedAvg {},
        tamper: None,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: Fraction::new(f64::from(cohort) / f64::from(devices)).unwrap(),
            dropout: Fraction::new(0.0).unwrap(),
            minimum: 1,
            faults: None,
        },
        rounding: equipoise_privacy::Rounding::Nearest {},
        quantizer,
        update_clip: ClipNorm::new(100.0).unwrap(),
        aggregation: Aggregation::Hidden(Plain.session(&spec).unwrap()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(5),
        stopwatch: &Untimed,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let state = pool.install(|| federation.step(FederationState::new(Params::zeros(PARAMETERS))).unwrap());
    COUNT.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    let state = pool.install(|| federation.step(state).unwrap());
    let counted = (COUNT.load(Relaxed), BYTES.load(Relaxed));
    assert_eq!(state.history[1].cohort.clients.len(), cohort as usize);
    counted
}

#[test]
fn a_round_allocates_nothing_a_client_and_nothing_for_those_who_take_no_part() {
    let (few, few_bytes) = counted(2_000, 20, 1);
    let (many, many_bytes) = counted(2_000, 1_000, 1);
    // Lists of clients that grow by doubling may do so a few times more; an allocation a client would be 980.
    assert!(many <= few + 24, "{few} allocations for 20 clients, {many} for 1,000");
    // A client leaves a few hundred bytes of record; its update has 8,000.
    assert!(many_bytes < few_bytes + 980 * 500, "{few_bytes} bytes for 20 clients, {many_bytes} for 1,000");
    let (absent, absent_bytes) = counted(200_000, 20, 1);
    assert!(absent <= few + 8, "{few} allocations beside 2,000 clients, {absent} beside 200,000");
    assert!(
        absent_bytes < few_bytes + 200_000,
        "{few_bytes} bytes beside 2,000, {absent_bytes} beside 200,000"
    );
    // Each worker brings its own buffers and its part of the sum.
    let (_, two_bytes) = counted(2_000, 1_000, 2);
    assert!(two_bytes < many_bytes + 64 * PARAMETERS, "{many_bytes} bytes on one thread, {two_bytes} on two");
}
