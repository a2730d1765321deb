// The stage `sweep`, run on settings as a pipeline gives them.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Sweep;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SweepTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_grid_gives_every_shape_that_can_be_built_and_says_why_the_others_cannot()
    {
        var result = Sweep("""{"sizes":[8000,16000,32000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.16,0.24,0.36],"ratio":[0.5,1.5,4],"gqa":[2]}""");
        var shapes = result.Table("shapes.csv");
        var rejected = result.Table("rejected.csv");
        Assert.Equal([.. Vocabulary.ShapeTerms.Select(t => t.Name), "seed", "learning_rate_factor", "tokens_share", "size", "baseline", "baseline_loss"], shapes.Columns);
        Assert.InRange(shapes.Rows.Count, 20, 27);
        Assert.True(shapes.Rows.Count + rejected.Rows.Count <= 27);
        foreach (var row in shapes.Each())
        {
            var shape = DecoderShape.FromCells(row.Count, row.Truth);
            Assert.Equal(shape.Id, row.Text("shape"));
            Assert.Equal(shape.Parameters, row.Whole("parameters"));
            Assert.Equal(shape.X, row.Number("x"));
            Assert.Equal(shape.Ratio, row.Number("ratio"));
            Assert.InRange(row.Number("parameters") / row.Number("size"), 0.95, 1.05);
        }

        Assert.All(rejected.Each(), row => Assert.NotEqual("", row.Text("reason")));
        Assert.Equal(shapes.Rows.Count, shapes.Each().Select(r => r.Text("shape")).Distinct().Count());
    }

    [Fact]
    public void Llama_3_2_1B_comes_out_of_its_own_numbers()
    {
        var result = Sweep("""{"sizes":[973078528],"layers":[16],"head_size":[64],"multiple_of":256,"x":[0.06565],"ratio":[4.8],"gqa":[4],"vocabulary":128256}""");
        var row = Assert.Single(result.Table("shapes.csv").Each());
        Assert.Equal(new DecoderShape(16, 2048, 8192, 32, 8, 64, 128_256, true), DecoderShape.FromCells(row.Count, row.Truth));
        Assert.Empty(result.Table("rejected.csv").Rows);
    }

    [Fact]
    public void Two_asks_that_round_to_one_shape_are_one_shape_with_every_seed()
    {
        var shapes = Sweep("""{"sizes":[64000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.24,0.2401],"ratio":[1],"gqa":[2],"replicates":[2]}""").Table("shapes.csv");
        Assert.Equal(["1", "2"], shapes.Each().Select(r => r.Text("seed")));
        Assert.Single(shapes.Each().Select(r => r.Text("shape")).Distinct());
    }

    [Fact]
    public void Replicates_can_be_given_for_each_size()
    {
        var shapes = Sweep("""{"sizes":[64000,128000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.24],"gqa":[2],"replicates":[3,1]}""").Table("shapes.csv");
        Assert.Equal([("64000", "1"), ("64000", "2"), ("64000", "3"), ("128000", "1")], shapes.Each().Select(r => (r.Text("size"), r.Text("seed"))));
    }

    [Fact]
    public void The_corners_of_each_size_are_trained_at_other_learning_rates_too()
    {
        var shapes = Sweep("""{"sizes":[64000,128000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.2,0.24,0.3],"ratio":[0.6,1,3],"gqa":[2],"replicates":[2],"learning_rate_bracket":[0.5,1,2]}""").Table("shapes.csv");
        var bracket = shapes.Each().Where(r => r.Text("learning_rate_factor") != "1").ToList();
        Assert.Equal(2 * 9 * 2 + 2 * 4 * 2, shapes.Rows.Count);
        Assert.Equal(["0.5", "2"], bracket.Select(r => r.Text("learning_rate_factor")).Distinct());
        Assert.All(bracket, r => Assert.Equal("1", r.Text("seed")));
        foreach (var size in shapes.Each().GroupBy(r => r.Text("size")))
        {
            Assert.Equal(4, size.Where(r => r.Text("learning_rate_factor") == "2").Select(r => r.Text("shape")).Distinct().Count());
            Assert.Equal(
                [size.Min(r => r.Number("x")), size.Max(r => r.Number("x"))],
                size.Where(r => r.Text("learning_rate_factor") == "2").Select(r => r.Number("x")).Order().ToArray() is var xs ? [xs[0], xs[^1]] : []);
        }
    }

    [Fact]
    public void A_size_with_fewer_corners_than_its_grid_is_warned_of()
    {
        const string Grid = "\"sizes\":[20000,40000],\"layers\":[2],\"head_size\":[8],\"multiple_of\":4,\"x\":[0.12,0.34],\"ratio\":[0.5,2,4],\"gqa\":[2]";
        var result = Sweep("{" + Grid + ",\"learning_rate_bracket\":[0.5,1]}");
        var warning = Assert.Single(result.Warnings);

        Assert.Equal("SCAL7409", warning.Code);
        Assert.StartsWith("Of size 20000, 3 of the grid's 4 corners check the learning-rate rule: 5 of its 6 points", warning.Message, StringComparison.Ordinal);
        Assert.Equal([3, 4], result.Table("shapes.csv").Each().Where(r => r.Text("learning_rate_factor") == "0.5").GroupBy(r => r.Text("size")).Select(g => g.Count()));
        Assert.Empty(Sweep("{" + Grid + "}").Warnings);
    }

    [Fact]
    public void Depth_can_be_given_for_each_size()
    {
        var shapes = Sweep("""{"sizes":[64000,128000],"layers":[2,4],"head_size":[8],"multiple_of":4,"x":[0.24],"gqa":[2]}""").Table("shapes.csv");
        Assert.Equal([("64000", "2"), ("128000", "4")], shapes.Each().Select(r => (r.Text("size"), r.Text("layers"))));
    }

    [Fact]
    public void A_baseline_joins_with_the_seeds_and_the_size_of_its_class_and_is_marked()
    {
        var shape = new DecoderShape(2, 48, 104, 14, 7, 8, 256, Tied: true);
        var shapes = Sweep(Grid(Config(shape))[..^1] + ",\"replicates\":[2],\"baseline_loss\":1.25}").Table("shapes.csv");

        var marked = shapes.Each().Where(r => r.Truth("baseline")).ToList();
        Assert.Equal([shape, shape], marked.Select(r => DecoderShape.FromCells(r.Count, r.Truth)));
        Assert.Equal([("1", "64000", "1.25"), ("2", "64000", "1.25")], marked.Select(r => (r.Text("seed"), r.Text("size"), r.Text("baseline_loss"))));
        Assert.All(shapes.Each().Where(r => !r.Truth("baseline")), r => Assert.Equal("", r.Text("baseline_loss")));
    }

    [Fact]
    public void A_baseline_that_the_grid_has_too_is_one_shape()
    {
        var asked = Sweep(Grid(null)).Table("shapes.csv")[0];
        var shapes = Sweep(Grid(Config(DecoderShape.FromCells(asked.Count, asked.Truth)))).Table("shapes.csv");

        Assert.Equal(Sweep(Grid(null)).Table("shapes.csv").Rows.Count, shapes.Rows.Count);
        Assert.True(shapes[0].Truth("baseline"));
    }

    [Fact]
    public void A_baseline_far_from_every_size_is_warned_of_and_has_a_budget_of_its_own()
    {
        var shape = new DecoderShape(2, 16, 24, 4, 2, 8, 256, Tied: true);
        var result = Sweep(Grid(Config(shape)));

        Assert.Equal("SCAL7408", Assert.Single(result.Warnings).Code);
        Assert.Equal($"{shape.Parameters}", Assert.Single(result.Table("shapes.csv").Each(), r => r.Truth("baseline")).Text("size"));
    }

    [Theory]
    [InlineData("SCAL7405", "model_type is 'gpt2'", """{"model_type":"gpt2"}""")]
    [InlineData("SCAL7406", "vocabulary of 128256, and the sweep's is 256", """{"model_type":"llama","hidden_size":64,"intermediate_size":64,"num_hidden_layers":2,"num_attention_heads":8,"vocab_size":128256}""")]
    public void A_wrong_baseline_is_told_with_its_file(string code, string message, string config)
    {
        string path = _folder.Write("config.json", config);
        var error = Assert.Throws<StageFailedException>(() => Sweep(Grid(path)));

        Assert.Equal((code, path), (error.Diagnostics[0].Code, error.Diagnostics[0].Location!.File));
        Assert.Contains(message, error.Diagnostics[0].Message, StringComparison.Ordinal);
        Assert.NotNull(error.Diagnostics[0].Hint);
    }

    [Fact]
    public void A_baselines_loss_without_a_baseline_is_told() =>
        Assert.Equal("SCAL7407", Assert.Throws<StageFailedException>(() => Sweep(Grid(null)[..^1] + ",\"baseline_loss\":1.25}")).Diagnostics[0].Code);

    [Fact]
    public void The_head_size_can_be_given_for_each_size()
    {
        var shapes = Sweep("""{"sizes":[64000,128000],"layers":[2],"head_size":[8,16],"multiple_of":4,"x":[0.24],"gqa":[2]}""").Table("shapes.csv");
        Assert.Equal([("64000", "8"), ("128000", "16")], shapes.Each().Select(r => (r.Text("size"), r.Text("head_size"))));
    }

    [Fact]
    public void The_same_settings_give_the_same_bytes()
    {
        const string Settings = """{"sizes":[8000,64000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.16,0.3],"ratio":[0.5,4],"gqa":[1,2]}""";
        var (one, two) = (Sweep(Settings), Sweep(Settings));
        Assert.Equal(one.Text("shapes.csv"), two.Text("shapes.csv"));
        Assert.Equal(one.Text("rejected.csv"), two.Text("rejected.csv"));
    }

    [Fact]
    public void A_tighter_tolerance_rejects_what_misses_the_size()
    {
        const string Grid = "\"sizes\":[8000],\"layers\":[2],\"head_size\":[8],\"multiple_of\":4,\"x\":[0.16,0.24,0.36],\"ratio\":[0.5,1.5],\"gqa\":[2]";
        var strict = Sweep("{" + Grid + ",\"tolerance\":0.01}");
        Assert.Contains(strict.Table("rejected.csv").Each(), r => r.Text("reason").StartsWith("the nearest shape misses the size by", StringComparison.Ordinal));
        Assert.All(strict.Table("shapes.csv").Each(), r => Assert.InRange(r.Number("parameters"), 7920, 8080));
        Assert.True(strict.Table("shapes.csv").Rows.Count < Sweep("{" + Grid + "}").Table("shapes.csv").Rows.Count);
    }

    [Fact]
    public void A_grid_of_which_nothing_remains_is_an_error_with_the_last_reason()
    {
        var error = Assert.Throws<StageFailedException>(() => Sweep("""{"sizes":[8000],"layers":[2],"head_size":[64],"x":[0.36]}"""));
        var diagnostic = Assert.Single(error.Diagnostics);
        Assert.Equal("SCAL7403", diagnostic.Code);
        Assert.Contains("nearer to 0 than to 128", diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Depths_that_do_not_match_the_sizes_and_an_odd_head_size_are_found_together()
    {
        var error = Assert.Throws<StageFailedException>(() => Sweep("""{"sizes":[8000],"layers":[2,3],"head_size":[7]}"""));
        Assert.Equal(["SCAL7401", "SCAL7402"], error.Diagnostics.Select(d => d.Code));
    }

    public void Dispose() => _folder.Dispose();

    private string Config(DecoderShape shape) => _folder.Write("config.json", HuggingFaceConfig.Of(shape, new HuggingFaceOptions { MaxPositionEmbeddings = 64, DataType = "float32" }));

    private static string Grid(string? baseline) =>
        """{"sizes":[32000,64000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.2,0.3],"ratio":[1,2],"gqa":[2]BASELINE}"""
            .Replace("BASELINE", baseline is null ? "" : $",\"baseline\":{new JsonObject { ["text"] = "config.json", ["scheme"] = "", ["paths"] = new JsonArray(baseline) }.ToJsonString()}", StringComparison.Ordinal);

    private StageResult Sweep(string settings) => new StageRunner(new SweepStage(), _folder).Run(JsonNode.Parse(settings)!.AsObject());
}
