//! The `equipoise` command.
#![forbid(unsafe_code)]

/// glibc's allocator gives large buffers back to the system after every step, which costs burn half of its speed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(equipoise_runner::cli::main())
}
