// What the tool relies on: the suite runs the stage on this sample, also with odd settings and wrong inputs, and says what to mend.
using Scaling.TestKit;

namespace Acme.Mine.Tests;

public sealed class MineConformance : StageConformance<MineStage>
{
    protected override StageSample Sample => new() { Inputs = { ["runs"] = [new SampleFile("runs.csv", MineStageTests.Runs)] } };
}
