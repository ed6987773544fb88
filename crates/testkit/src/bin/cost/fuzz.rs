//! Looks for inputs that cost more than their kind allows: mutates the most expensive ones so far.

use crate::{
    chance::Chance,
    measure::{Cost, Kind, measure},
    mutate::{mutate, size, visit},
    recipe::expand,
    watch::Watch,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Kept inputs of each seed's family. Without families, variants of one input would fill the corpus.
const FAMILY: usize = 8;
/// Values of a recipe; larger ones are hard to read, and amounts make large inputs.
const RECIPE: usize = 400;
/// Changes tried while a finding or an entry of the corpus is made smaller, and their time.
const CUTS: usize = 200;
const CUTTING: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub struct Found {
    pub recipe: Value,
    pub cost: Cost,
    pub share: f64,
    pub took: Duration,
    family: usize,
}

pub struct Fuzz<'w> {
    pub kind: &'static Kind,
    pub tried: u64,
    /// Time of all inputs: kinds get equal shares of it.
    pub spent: Duration,
    population: Vec<Found>,
    chance: Chance,
    watch: &'w Watch,
}

impl<'w> Fuzz<'w> {
    /// Starts from the seeds and recipes of the corpus. One is run before they count: the first use of
    /// the code fills its tables.
    pub fn new(kind: &'static Kind, corpus: Vec<Value>, seed: u64, watch: &'w Watch) -> Result<Self, Box<Found>> {
        let mut fuzz =
            Self { kind, tried: 0, spent: Duration::ZERO, population: Vec::new(), chance: Chance::new(seed), watch };
        let seeds = (kind.seeds)();
        if let Some(recipe) = seeds.first() {
            fuzz.run(recipe, 0);
        }
        for (family, recipe) in seeds.into_iter().chain(corpus).enumerate() {
            fuzz.attempt(&recipe, family)?;
        }
        Ok(fuzz)
    }

    /// Mutates one input. The error exceeds the kind's bound.
    pub fn round(&mut self) -> Result<(), Box<Found>> {
        let count = self.population.len();
        let mut any = || self.population.get(self.chance.below(count));
        let (Some(one), Some(other), Some(donor)) = (any(), any(), any()) else { return Ok(()) };
        // The quicker one of two: more inputs are tried.
        let parent = if one.took < other.took { one } else { other };
        let family = parent.family;
        let recipe = mutate(&parent.recipe, &donor.recipe, self.kind.words, &mut self.chance);
        if size(&recipe) > RECIPE { Ok(()) } else { self.attempt(&recipe, family) }
    }

    fn attempt(&mut self, recipe: &Value, family: usize) -> Result<(), Box<Found>> {
        let Some(found) = self.run(recipe, family) else { return Ok(()) };
        if found.share > 1.0 {
            return Err(Box::new(self.smaller(found, |cut| cut.share > 1.0)));
        }
        let relatives = self.population.iter().enumerate().filter(|(_, other)| other.family == family);
        let (count, least) = relatives.fold((0, None::<(usize, f64)>), |(count, least), (place, other)| {
            let least = least.filter(|(_, share)| *share <= other.share).unwrap_or((place, other.share));
            (count + 1, Some(least))
        });
        match least {
            Some((place, share)) if count >= FAMILY => {
                if found.share > share {
                    self.population[place] = found;
                }
            }
            _ => self.population.push(found),
        }
        Ok(())
    }

    fn run(&mut self, recipe: &Value, family: usize) -> Option<Found> {
        let input = expand(recipe, self.kind.most)?;
        let _running = self.watch.enter(self.kind.name, recipe);
        self.tried += 1;
        let began = Instant::now();
        let cost = measure(self.kind, &input).filter(|cost| cost.bytes <= self.kind.most as u64);
        let took = began.elapsed();
        self.spent += took;
        let cost = cost?;
        Some(Found { recipe: recipe.clone(), cost, share: cost.share_of(self.kind.bound), took, family })
    }

    /// Removes parts of a recipe as long as `keeps` holds.
    fn smaller(&mut self, mut found: Found, keeps: impl Fn(&Found) -> bool) -> Found {
        let ends = Instant::now() + CUTTING;
        for _ in (0..CUTS).take_while(|_| Instant::now() < ends) {
            let mut recipe = found.recipe.clone();
            let place = self.chance.below(size(&recipe));
            let chance = &mut self.chance;
            visit(&mut recipe, &mut { place }, &mut |value| cut(value, chance));
            if size(&recipe) <= size(&found.recipe)
                && recipe != found.recipe
                && let Some(cut) = self.run(&recipe, found.family)
                && keeps(&cut)
            {
                found = cut;
            }
        }
        found
    }

    /// The most expensive inputs, at most `count` of them that run within `time` together, each as
    /// small as it gets without becoming cheaper.
    pub fn worst(&mut self, count: usize, mut time: Duration) -> Vec<Found> {
        let mut population = self.population.clone();
        population.sort_by(|one, other| other.share.total_cmp(&one.share));
        let mut worst: Vec<Found> = Vec::new();
        for found in population {
            let relatives = worst.iter().filter(|other| other.family == found.family).count();
            if worst.len() < count && relatives < FAMILY / 2 && found.took <= time {
                time -= found.took;
                let share = found.share * 0.99;
                let smaller = self.smaller(found, |cut| cut.share >= share && cut.share <= 1.0);
                worst.push(smaller);
            }
        }
        worst
    }

    /// The share of the bound that the most expensive input has.
    pub fn highest(&self) -> Option<&Found> {
        self.population.iter().max_by(|one, other| one.share.total_cmp(&other.share))
    }
}

fn cut(value: &mut Value, chance: &mut Chance) {
    match value {
        Value::Array(items) if !items.is_empty() => drop(items.remove(chance.below(items.len()))),
        Value::Object(fields) if !fields.is_empty() => {
            let name = fields.keys().nth(chance.below(fields.len())).cloned();
            name.and_then(|name| fields.shift_remove(&name));
        }
        Value::String(text) => text.truncate(text.floor_char_boundary(text.len() / 2)),
        Value::Number(number) => *value = (number.as_u64().unwrap_or_default() * 3 / 4).into(),
        _ => {}
    }
}
