// Shapes measured in turn by an engine: A B C A B C, so that what drifts on the machine drifts for all of them.
using Scaling.Sdk;

namespace Scaling.Stages.Measure;

/// <summary>What the calls for one row told, or why there are none.</summary>
/// <param name="Calls">One a round; empty where one failed.</param>
/// <param name="Failure">Null where all went well.</param>
internal sealed record EngineRow(IReadOnlyList<EngineTimes> Calls, StageFailedException? Failure);

internal static class EngineRounds
{
    /// <summary>
    /// Times that an engine is started for each shape. An engine's repeats lie within one start, some seconds long and between loads of a minute, so that only whole starts can take turns; three
    /// tell a drift from a difference and cost two loads more.
    /// </summary>
    public const int Rounds = 3;

    /// <summary>Measures every row. One that fails is left out of the rounds that follow, and the others go on.</summary>
    /// <param name="rows">What is asked for each row; its repeats are shared out over the rounds.</param>
    /// <param name="measure">Runs the engine once.</param>
    public static IReadOnlyList<EngineRow> Measure(
        IReadOnlyList<(StageContext<MeasureSettings> Row, EngineCall Call)> rows, Func<StageContext<MeasureSettings>, EngineCall, EngineTimes> measure)
    {
        List<EngineTimes>[] times = [.. rows.Select(_ => new List<EngineTimes>())];
        var failures = new StageFailedException?[rows.Count];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < rows.Count; i++)
            {
                if (failures[i] is not null)
                {
                    continue;
                }

                var (row, call) = rows[i];
                row.Stop.ThrowIfCancellationRequested();
                try
                {
                    times[i].Add(measure(row, call with { Repeats = (call.Repeats + Rounds - 1) / Rounds, Round = round }));
                }
                catch (StageFailedException e)
                {
                    failures[i] = e;
                    times[i].Clear();
                }
            }
        }

        return [.. times.Zip(failures, (t, f) => new EngineRow(t, f))];
    }
}
