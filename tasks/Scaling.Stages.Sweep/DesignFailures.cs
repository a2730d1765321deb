// What a design says where whole rounds have no loss: a trainer that gives none is better looked at than paid again.
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

internal static class DesignFailures
{
    private const int RoundsForNothing = 2; // One may be bad luck with its shapes; the second chose others, as little known, and the trainer is what they share.
    private const string Look =
        "'dotnet scaling show STAGE --file runs.csv', of the stage that trains, prints their rows. Where 'diverged_at' is filled, lower its 'learning_rate' or raise 'warmup'; a loss counts once its schedule has ended ('annealed'), at a 'learning_rate_factor' of 1.";

    /// <summary>Ends a study of which nothing was learnt, before it spends more.</summary>
    /// <param name="history">The rounds before.</param>
    /// <exception cref="StageFailedException">SCAL7426: two rounds or more, and no run has a loss.</exception>
    public static void Refuse(DesignHistory history)
    {
        int rounds = history.Round - 1;
        if (rounds >= RoundsForNothing && history.Results.Count == 0)
        {
            throw new StageFailedException(
                "SCAL7426", $"None of the {history.Listed.Count} runs of {rounds} rounds has a loss: another round would be chosen on nothing, and paid for nothing.",
                $"{Look} Runs of other settings are trained anew, from round 1.");
        }
    }

    /// <summary>Warns (SCAL7425) where no run of the round before has a loss.</summary>
    /// <param name="context">Of the stage.</param>
    /// <param name="history">The rounds before.</param>
    /// <param name="round">Chosen after them.</param>
    public static void Warn(StageContext<SweepSettings> context, DesignHistory history, DesignRound round)
    {
        int last = history.Round - 1, runs = history.Listed.Count(r => r.Round == last);
        if (runs > 0 && history.Lost.Count(r => r.Round == last) == runs)
        {
            context.Warn(
                "SCAL7425",
                $"{(runs == 1 ? $"The one run of round {last} has no loss: it is paid, and tells" : $"All {runs} runs of round {last} have no loss: they are paid, and tell")} nothing"
                    + (round.GoesOn ? $". Round {round.Number} is chosen on what was known before." : "."),
                Look);
        }
    }
}
