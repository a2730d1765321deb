// What a plugin may not say of itself.
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Engine.Tests.Plugins;

public sealed class DeclarationCheckTests
{
    private static readonly StageDeclaration Sound = new()
    {
        Type = "work",
        Summary = "",
        Inputs = [new InputRole("rows", "rows"), new InputRole("extra", "extra", Cardinality.Many)],
        Outputs = [new OutputFile("work.csv", "work"), new OutputFile("curves/loss.jsonl", "curves")],
        FanOut = new FanOut("rows", ["id", "width"], ["id"]),
        Prepare = new PrepareAction(["corpus"], ["tokens.bin"]),
    };

    [Fact]
    public void A_sound_declaration_has_no_findings() => Assert.Empty(Sound.Contradictions());

    [Theory]
    [InlineData("../work.csv")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../work.csv")]
    [InlineData("")]
    [InlineData("failed.csv")]
    [InlineData("logs/mine.txt")]
    public void Outputs_stay_in_their_folder_and_clear_of_the_run_s_own(string name) =>
        Assert.NotEmpty((Sound with { Outputs = [new OutputFile(name, "work")] }).Contradictions());

    [Fact]
    public void What_contradicts_itself_is_refused_with_its_stage()
    {
        StageDeclaration[] wrong =
        [
            Sound with { Outputs = [new OutputFile("a", "x"), new OutputFile("a", "y")] },
            Sound with { Inputs = [.. Sound.Inputs, new InputRole("rows", "other")] },
            Sound with { Inputs = [.. Sound.Inputs, new InputRole("../up", "other")] },
            Sound with { FanOut = Sound.FanOut! with { Role = "nothing" } },
            Sound with { FanOut = Sound.FanOut! with { Role = "extra" } },
            Sound with { FanOut = Sound.FanOut! with { Point = ["height"] } },
            Sound with { Prepare = new PrepareAction([], ["../tokens.bin"]) },
            Sound with { Inputs = [.. Sound.Inputs, new InputRole("back", "work", Cardinality.Many) { Feedback = true }], Enumerating = true },
            Sound with { Inputs = [new InputRole("back", "work", Cardinality.Many) { Feedback = true }], FanOut = null },
            Sound with { Inputs = [new InputRole("back", "work") { Feedback = true }], FanOut = null, Enumerating = true },
            Sound with { Inputs = [.. new[] { "one", "two" }.Select(role => new InputRole(role, "work", Cardinality.Many) { Feedback = true })], FanOut = null, Enumerating = true },
        ];

        Assert.All(wrong, declaration =>
        {
            var refused = Assert.Throws<StageFailedException>(() => DeclarationCheck.Demand([new StageDescriptor(declaration, [], 1)], "/plugins/Mine.dll"));
            Assert.Equal("SCAL6010", Assert.Single(refused.Diagnostics).Code);
            Assert.Contains("Mine.dll declares a stage 'work'", refused.Message);
        });
    }
}
