//! `PyTorch`'s own modules with the weights that we would publish give the scores that we give: gate order, orientation, norms and places.
//! The fixture is written by `benches/peers/sequences_torch.py fixture`.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)] // Helpers of tests.

use equipoise_model::{Backward, Codebook, ModelSpec, Steps, TorchTensor, Trainer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    sequences: Vec<Vec<Vec<f32>>>,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    model: ModelSpec,
    columns: usize,
    state: Vec<Tensor>,
    scores: Vec<f32>,
}

#[derive(Deserialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Fills the flat vector from the tensors: numbers each parameter, publishes the numbers and follows them back.
fn flat(model: &Model) -> Vec<f32> {
    let numbered: Vec<f32> = (0..model.model.parameters(model.columns)).map(|at| at as f32).collect();
    let published = model.model.to_torch(model.columns, &numbered);
    assert_eq!(published.len(), model.state.len());
    let mut weights = vec![f32::NAN; numbered.len()];
    for TorchTensor { name, shape, values } in published {
        let theirs = model.state.iter().find(|tensor| tensor.name == name);
        let theirs = theirs.unwrap_or_else(|| panic!("PyTorch has no `{name}`"));
        assert_eq!(shape, theirs.shape, "{name}");
        values.iter().zip(&theirs.values).for_each(|(at, value)| weights[*at as usize] = *value);
    }
    assert!(weights.iter().all(|weight| weight.is_finite()), "a parameter is not published");
    weights
}

#[test]
fn published_weights_give_the_same_scores_in_torch() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/sequences_torch.json")).unwrap();
    assert_eq!(fixture.models.len(), 2);
    let values: Vec<f32> = fixture.sequences.iter().flatten().flatten().copied().collect();
    for model in &fixture.models {
        let codebook = Codebook::new(model.columns, values.clone()).unwrap();
        let codes: Vec<u16> = (0..codebook.codes() as u16).collect();
        let end = |end: &mut u32, steps: &Vec<Vec<f32>>| {
            *end += steps.len() as u32;
            Some(*end)
        };
        let ends: Vec<u32> = fixture.sequences.iter().scan(0, end).collect();
        let steps = Steps { codebook: &codebook, codes: &codes, ends: &ends };
        let mut trainer = Trainer::with(&model.model, model.columns, Backward::Burn).unwrap();
        let ours = trainer.score_sequences(&flat(model), &steps).unwrap();
        for (ours, theirs) in ours.iter().zip(&model.scores) {
            assert!((ours - theirs).abs() < 2e-6, "{:?}: {ours} {theirs}", model.model);
        }
    }
}
