// The example of a stranger's stage does what its README says.
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class HelloStageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Without_shapes_it_greets_the_world() =>
        Assert.Equal("Hello, world.\n", Run([]).Text("greeting.txt"));

    [Fact]
    public void It_greets_shapes_up_to_its_limit_and_says_how_many_were_left()
    {
        var shapes = _folder.Write("shapes.csv", "shape,layers,hidden,parameters\na,2,24,16128\nb,2,36,16416\n");
        var result = Run(new JsonObject { ["greeting"] = "Good morning", ["limit"] = 1 }, new() { ["shapes"] = shapes });
        Assert.Equal("Good morning, a: 2 layers of 24 features, 16128 parameters.\n", result.Text("greeting.txt"));
        Assert.Equal("1 of 2 shapes were not greeted.", Assert.Single(result.Warnings).Message);
    }

    private StageResult Run(JsonObject settings, Dictionary<string, string>? inputs = null) =>
        new StageRunner(new HelloStage.HelloStage(), _folder).Run(settings, inputs);
}
