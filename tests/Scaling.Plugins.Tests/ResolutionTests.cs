// Which packages a plugin gets.
using Scaling.Engine;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Plugins.Tests;

public sealed class ResolutionTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_plain_version_is_exactly_that_version()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.2.0"), Nupkg.Plugin("Hello", "1.2.1"), Nupkg.Plugin("Hello", "2.0.0"));

        Assert.Equal("1.2.0", (await _place.Resolve("hello", "1.2.0")).Plugin.Version);
        Assert.Equal("Hello", (await _place.Resolve("hello", "1.2.0")).Plugin.Id);
        Assert.Equal("1.2.1", (await _place.Resolve("Hello", "1.*")).Plugin.Version);
        Assert.Equal("2.0.0", (await _place.Resolve("Hello", "*")).Plugin.Version);
        Assert.Equal("1.2.0", (await _place.Resolve("Hello", "[1.0,2.0)")).Plugin.Version);
    }

    [Theory]
    [InlineData("1.2.0", true)]
    [InlineData("[1.2.0]", true)]
    [InlineData("1.2.0-beta.1", true)]
    [InlineData("1.*", false)]
    [InlineData("*", false)]
    [InlineData("1.2.*-*", false)]
    [InlineData("[1.0,2.0)", false)]
    public void Whatever_is_not_exact_floats(string version, bool exact) => Assert.Equal(exact, new PackageRequest("Hello", version).IsExact);

    [Fact]
    public async Task The_nearest_wins_and_of_equally_near_ones_the_lowest_that_satisfies_all()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0").Needs("A", "1.0.0").Needs("B", "1.0.0"),
            Nupkg.Library("A", "1.0.0").Needs("C", "1.0.0"), Nupkg.Library("B", "1.0.0").Needs("C", "1.5.0"),
            Nupkg.Library("C", "1.0.0"), Nupkg.Library("C", "1.5.0"), Nupkg.Library("C", "2.0.0"));

        var closure = await _place.Resolve("Hello", "1.0.0");

        Assert.Equal(["Hello 1.0.0", "A 1.0.0", "B 1.0.0", "C 1.5.0"], closure.Packages.Select(p => $"{p}"));
        Assert.All(closure.Packages, p => Assert.Equal(88, p.Sha512.Length));
        Assert.Equal(4, _place.Heard.InstalledPackages.Count);
    }

    [Fact]
    public async Task The_contract_is_never_fetched_and_who_asks_for_it_is_told()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0", needs: "0.1.0").Needs("A", "1.0.0"), Nupkg.Library("A", "1.0.0").Needs("Scaling.Sdk", "0.3.0"));

        var closure = await _place.Resolve("Hello", "1.0.0");

        Assert.Equal(new ContractDemand("0.3.0", "A 1.0.0"), closure.Contract);
        Assert.DoesNotContain(closure.Packages, p => p.Id == "Scaling.Sdk");
    }

    [Fact]
    public async Task What_dotnet_brings_is_not_fetched()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("System.Text.Json", "8.0.5").Needs("System.Memory", "4.5.5"));

        Assert.Single((await _place.Resolve("Hello", "1.0.0")).Packages);
    }

    [Fact]
    public async Task A_version_that_no_source_has_any_more_is_replaced_by_the_next_with_a_warning()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("A", "1.0.0"), Nupkg.Library("A", "1.1.0"), Nupkg.Library("A", "1.2.0"));

        Assert.Equal("1.1.0", (await _place.Resolve("Hello", "1.0.0")).Packages[1].Version);
        Assert.Equal("SCAL6141", Assert.Single(_place.Heard.Warnings).Code);
    }

    [Fact]
    public async Task Installed_packages_are_found_without_their_source()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("A", "1.0.0"), Nupkg.Library("A", "1.0.0"));
        var before = await _place.Resolve("Hello", "1.0.0");
        Directory.Delete(_place.Feed, recursive: true);

        Assert.Equal(before.Locked, (await _place.Resolve("Hello", "1.0.0")).Locked);
        Assert.Equal(2, _place.Heard.InstalledPackages.Count);
    }

    [Fact]
    public async Task Source_mapping_decides_who_may_serve_a_package()
    {
        string other = _place.Folder["other feed"];
        _place.Source("other", other);
        Nupkg.Plugin("Hello", "1.0.0").With("readme.txt", "the wrong one").Into(other);
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("A", "1.0.0"), Nupkg.Library("A", "1.0.0"));
        _place.Config("<packageSourceMapping><packageSource key=\"folder\"><package pattern=\"Hel*\" /></packageSource></packageSourceMapping>");

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => _place.Resolve("Hello", "1.0.0"));
        Assert.Equal("SCAL6104", failure.Diagnostics[0].Code);
        Assert.Contains("Hello 1.0.0 needs A (>= 1.0.0), and packageSourceMapping maps no source for it", failure.Message);
        Assert.Equal("SCAL6113", (await Assert.ThrowsAsync<StageFailedException>(() => _place.Resolve("Other", "1.0.0"))).Diagnostics[0].Code);
    }

    [Fact]
    public async Task What_cannot_be_resolved_is_said_with_what_there_is()
    {
        _place.Add(
            Nupkg.Plugin("Hello", "1.0.0"), Nupkg.Plugin("Hello", "1.1.0"),
            Nupkg.Plugin("Lacks", "1.0.0").Needs("Nowhere", "[2.0,3.0)").Needs("Old", "2.0.0"), Nupkg.Library("Old", "1.0.0"),
            Nupkg.Plugin("Conflict", "1.0.0").Needs("A", "1.0.0").Needs("B", "1.0.0"),
            Nupkg.Library("A", "1.0.0").Needs("C", "[1.0.0]"), Nupkg.Library("B", "1.0.0").Needs("C", "[2.0.0]"), Nupkg.Library("C", "1.0.0"), Nupkg.Library("C", "2.0.0"),
            Nupkg.Plugin("Downgrade", "1.0.0").Needs("C", "1.0.0").Needs("D", "1.0.0"), Nupkg.Library("D", "1.0.0").Needs("C", "2.0.0"),
            Nupkg.Plugin("Cycle", "1.0.0").Needs("E", "1.0.0"), Nupkg.Library("E", "1.0.0").Needs("Cycle", "1.0.0"));
        var text = new List<string>();
        foreach (var (id, version) in new[] { ("Helo", "1.0.0"), ("Hello", "1.2.0"), ("Hello", "3.*"), ("Hello", "new"), ("He llo", "1.0.0"), ("Lacks", "1.0.0"), ("Conflict", "1.0.0"), ("Downgrade", "1.0.0"), ("Cycle", "1.0.0") })
        {
            using var sources = _place.Open();
            var failure = await Assert.ThrowsAsync<StageFailedException>(() => sources.Resolve(new PackageRequest(id, version, new SourceLocation("study.yaml", 3, 5)), default));
            text.Add($"# {id} {version}\n{string.Join('\n', failure.Diagnostics)}");
        }

        await Snapshot.Match(_place.Clean(string.Join("\n\n", text)));
        Assert.Empty(_place.Heard.InstalledPackages);
    }

    [Fact]
    public async Task A_source_that_is_not_there_is_told_with_its_reason()
    {
        _place.Source("gone", _place.Folder["gone"]).Source("closed", "http://127.0.0.1:9/index.json");

        var failure = await Assert.ThrowsAsync<InfrastructureException>(() => _place.Resolve("Hello", "1.0.0"));

        Assert.Equal("SCAL6130", failure.Diagnostic.Code);
        Assert.Contains("gone (", failure.Message);
        Assert.Contains("closed (", failure.Message);
        Assert.Contains("onnection refused", failure.Message);
    }

    [Fact]
    public async Task A_source_that_is_not_there_does_not_matter_where_another_has_the_very_version()
    {
        _place.Source("closed", "http://127.0.0.1:9/index.json");
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));

        Assert.Equal("1.0.0", (await _place.Resolve("Hello", "1.0.0")).Plugin.Version);
        Assert.Equal("SCAL6130", (await Assert.ThrowsAsync<InfrastructureException>(() => _place.Resolve("Hello", "1.*"))).Diagnostic.Code);
    }

    [Fact]
    public void A_nuget_config_that_cannot_be_read_is_named()
    {
        _place.Folder.Write("pipeline/nuget.config", "<configuration><oops");

        var failure = Assert.Throws<StageFailedException>(() => PackageSources.Open(_place.Folder["pipeline"], _place.Cache, _place.Heard));

        Assert.Equal("SCAL6100", failure.Diagnostics[0].Code);
        Assert.Contains("nuget.config", failure.Message);
    }
}
