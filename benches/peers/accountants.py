#!/usr/bin/env python3
"""Epsilon and time of prv-accountant 0.2.0 and dp_accounting 0.6.0 on rows q, sigma, T, delta of a table, as a table.

    python -m venv venv && venv/bin/pip install prv-accountant==0.2.0 dp-accounting==0.6.0
    venv/bin/python benches/peers/accountants.py ROWS.csv > peers.csv

Times are processor seconds (user) of one call after the imports. `--pld` adds dp_accounting's connect-the-dots accountant, which
takes seconds to minutes a row at its default spacing of 1e-4.
"""
import argparse
import csv
import os
import sys


def user_seconds(call):
    before = os.times().user
    value = call()
    return value, os.times().user - before


def prv(q, sigma, steps, delta, error):
    from prv_accountant import PRVAccountant, PoissonSubsampledGaussianMechanism
    step = PoissonSubsampledGaussianMechanism(sampling_probability=q, noise_multiplier=sigma)
    accountant = PRVAccountant(prvs=[step], max_self_compositions=[steps], eps_error=error, delta_error=delta / 1000)
    return accountant.compute_epsilon(delta=delta, num_self_compositions=[steps])


def pld(q, sigma, steps, delta):
    import dp_accounting
    from dp_accounting.pld import PLDAccountant
    accountant = PLDAccountant()
    step = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(sigma))
    accountant.compose(dp_accounting.SelfComposedDpEvent(step, steps))
    return accountant.get_epsilon(delta)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("--error", type=float, default=0.01)
    parser.add_argument("--pld", action="store_true")
    arguments = parser.parse_args()
    out = csv.writer(sys.stdout)
    out.writerow(["q", "sigma", "T", "delta", "eps_prv_lo", "eps_prv_est", "eps_prv_up", "prv_user_s", "eps_pld_up", "pld_user_s"])
    for row in csv.DictReader(open(arguments.table)):
        q, sigma, steps, delta = float(row["q"]), float(row["sigma"]), int(float(row["T"])), float(row["delta"])
        try:
            (low, estimate, high), seconds = user_seconds(lambda: prv(q, sigma, steps, delta, arguments.error))
        except Exception as error:  # a row that the peer refuses is a result too
            print(f"prv-accountant at q={q} sigma={sigma} T={steps}: {error!r}", file=sys.stderr)
            low = estimate = high = seconds = float("nan")
        exact, exact_seconds = user_seconds(lambda: pld(q, sigma, steps, delta)) if arguments.pld else ("", "")
        out.writerow([q, sigma, steps, delta, low, estimate, high, seconds, exact, exact_seconds])
        sys.stdout.flush()


if __name__ == "__main__":
    main()
