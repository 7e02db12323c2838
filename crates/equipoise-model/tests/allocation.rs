//! The fused path allocates nothing once it has seen its largest batch: counted by an allocator of this test's own.
#![allow(unsafe_code, clippy::unwrap_used)] // An allocator is unsafe by its trait; this one only counts.

mod common;

use common::{Data, init, sgd};
use equipoise_core::{ClipNorm, Seed};
use equipoise_model::{ModelSpec, Optimiser, TrainConfig, Trainer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, which counts what this thread asks for.
struct Counting;

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if WATCHED.get() {
            COUNT.set(COUNT.get() + 1);
        }
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

fn counted(work: impl FnOnce()) -> usize {
    COUNT.set(0);
    WATCHED.set(true);
    work();
    WATCHED.set(false);
    COUNT.get()
}

#[test]
fn the_counter_counts() {
    assert_eq!(counted(|| drop(std::hint::black_box(vec![1_u32; 100]))), 1);
}

#[test]
fn a_warm_worker_trains_a_client_without_allocating() {
    let data = Data::separable(250, 64, 1);
    let adam = Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    for spec in [ModelSpec::LogisticRegression {}, ModelSpec::Mlp { hidden: vec![128, 64] }] {
        let mut trainer = Trainer::new(&spec, 64).unwrap();
        for config in [sgd(2, 0.1), TrainConfig { optimiser: adam.clone(), ..sgd(2, 0.01) }] {
            let mut weights = init(&spec, 64, 1);
            trainer.train(&mut weights, &data.rows(), &config, Seed::root(1)).unwrap();
            let again = || _ = trainer.train(&mut weights, &data.rows(), &config, Seed::root(2)).unwrap();
            assert_eq!(counted(again), 0, "{spec:?}");
        }
    }
}

/// The sum in `f64` stays with the worker, whatever the number of rows.
#[test]
fn a_warm_workers_clipped_sum_allocates_nothing() {
    let data = Data::separable(600, 20, 1);
    let spec = ModelSpec::Mlp { hidden: vec![16] };
    let (mut trainer, weights) = (Trainer::new(&spec, 20).unwrap(), init(&spec, 20, 1));
    let (clip, mut out) = (ClipNorm::new(0.5).unwrap(), vec![0.0; weights.len()]);
    let batch: Vec<u32> = (0..600).collect();
    let mut sum = |rows: usize| {
        trainer.clipped_gradient_sum(&weights, &data.rows(), &batch[..rows], clip, &mut out).unwrap();
    };
    sum(600);
    assert_eq!((counted(|| sum(600)), counted(|| sum(130))), (0, 0));
}

#[test]
fn a_warm_worker_trains_on_sequences_without_allocating() {
    let told = common::sequences::Told::random(150, 16, 24, 1);
    let spec = ModelSpec::Gru { hidden: 32 };
    let (mut trainer, mut weights) = (Trainer::new(&spec, 16).unwrap(), init(&spec, 16, 1));
    // Which rows meet in a batch is drawn, so the largest batch that could be is shown once: all rows at once.
    let config = |batch| TrainConfig { batch, ..sgd(2, 0.1) };
    trainer.train(&mut weights, &told.sequences(), &config(150), Seed::root(1)).unwrap();
    let again = || _ = trainer.train(&mut weights, &told.sequences(), &config(32), Seed::root(2)).unwrap();
    assert_eq!(counted(again), 0);
}
