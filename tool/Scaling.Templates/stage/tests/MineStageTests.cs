// What mine-type computes, on a table small enough to check by hand.
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Acme.Mine.Tests;

public sealed class MineStageTests : IDisposable
{
    public const string Runs = "shape,seed,tokens,loss\na,1,1000,3.0\na,2,1000,3.5\nb,1,1000,2.75\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task Seeds_of_one_shape_are_one_row() => Snapshot.Match(Run([]).Text("means.csv"));

    [Fact]
    public void Points_of_too_few_runs_are_left_out_and_told()
    {
        var result = Run(new JsonObject { ["least_runs"] = 2 });

        Assert.Equal("a", Assert.Single(result.Table("means.csv").Each()).Text("shape"));
        Assert.Equal("MINE0001", Assert.Single(result.Warnings).Code);
    }

    private StageResult Run(JsonObject settings) =>
        new StageRunner(new MineStage(), _folder).Run(settings, new Dictionary<string, string> { ["runs"] = _folder.Write("runs.csv", Runs) });
}
