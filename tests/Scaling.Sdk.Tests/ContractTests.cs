// What strangers compile against changes on purpose, and its version says so.
using Scaling.TestKit;

namespace Scaling.Sdk.Tests;

public sealed class ContractTests
{
    [Fact]
    public void The_version_of_the_contract_s_assembly_is_its_revision_and_additions() =>
        Assert.Equal(new Version(Contract.Revision, Contract.Additions, 0, 0), typeof(IStage).Assembly.GetName().Version);

    [Fact]
    public Task What_a_stage_compiles_against() => Snapshot.Match(PublicApi.Of(typeof(IStage).Assembly));

    [Fact]
    public Task What_a_stage_s_tests_compile_against() => Snapshot.Match(PublicApi.Of(typeof(Snapshot).Assembly));

    [Theory]
    [InlineData("smooth.csv", true)]
    [InlineData("deep/curve.jsonl", true)]
    [InlineData("smoth.csv", false)]
    [InlineData("../smooth.csv", false)]
    public void An_output_has_a_path_where_it_is_declared(string name, bool isDeclared)
    {
        using var folder = new TemporaryFolder();
        var context = Context(folder, ["smooth.csv", "deep/curve.jsonl"]);
        if (isDeclared)
        {
            Assert.StartsWith(folder["out"] + "/", context.Output(name), StringComparison.Ordinal);
            Assert.True(Directory.Exists(Path.GetDirectoryName(context.Output(name))));
        }
        else
        {
            var refused = Assert.Throws<StageFailedException>(() => context.Output(name));
            Assert.Equal("SCAL6012", refused.Diagnostics[0].Code);
        }
    }

    [Fact]
    public void A_misspelt_output_is_told_what_was_meant()
    {
        using var folder = new TemporaryFolder();
        var refused = Assert.Throws<StageFailedException>(() => Context(folder, ["smooth.csv"]).Output("smoth.csv"));
        Assert.Equal("error SCAL6012: The stage asks for an output 'smoth.csv' that it does not declare. It declares: smooth.csv. Did you mean 'smooth.csv'?", refused.Message);
    }

    [Theory]
    [InlineData("../up.csv")]
    [InlineData("/tmp/absolute.csv")]
    [InlineData("a/../../up.csv")]
    public void Where_nobody_says_what_is_declared_a_name_still_stays_in_its_folder(string name)
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<StageFailedException>(() => Context(folder, null).Output(name));
    }

    private static StageContext<NoSettings> Context(TemporaryFolder folder, string[]? declared) => new(new ActionContext
    {
        Settings = [], OutputFolder = folder["out"], DeclaredOutputs = declared, WorkFolder = folder["work"], CacheFolder = folder["cache"],
        Progress = _ => { }, Report = _ => { }, Publish = () => { },
    });

    private sealed record NoSettings;
}
