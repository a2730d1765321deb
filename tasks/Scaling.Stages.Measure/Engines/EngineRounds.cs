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
    /// <param name="rows">The rows.</param>
    /// <param name="call">What is asked for a row; its repeats are shared out over the rounds.</param>
    /// <param name="measure">Runs the engine once.</param>
    public static IReadOnlyList<EngineRow> Measure(
        IReadOnlyList<StageContext<MeasureSettings>> rows, Func<StageContext<MeasureSettings>, EngineCall> call, Func<StageContext<MeasureSettings>, EngineCall, EngineTimes> measure)
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

                rows[i].Stop.ThrowIfCancellationRequested();
                rows[i].Progress(round, Rounds, "runs");
                var whole = call(rows[i]);
                try
                {
                    times[i].Add(measure(rows[i], whole with { Repeats = (whole.Repeats + Rounds - 1) / Rounds }));
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
