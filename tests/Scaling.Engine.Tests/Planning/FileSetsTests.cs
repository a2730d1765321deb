// Files that a setting names.
using System.Text.Json.Nodes;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Planning;

public sealed class FileSetsTests : IDisposable
{
    private static readonly JsonObject Declared = new()
    {
        ["named"] = new JsonObject { ["framework-docs"] = "{dotnet}/packs/Microsoft.NETCore.App.Ref/{latest}/ref/{latest}/*.xml", ["bytes"] = "" },
        ["schemes"] = new JsonArray("text"),
    };

    private readonly TemporaryFolder _folder = new();
    private readonly ContentStore _store;

    public FileSetsTests() => _store = ContentStore.Open(_folder["store"], _ => { });

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("a.txt", "", "a.txt")]
    [InlineData("*.txt", "", "a.txt b.txt")]
    [InlineData("text:**/*.txt", "text", "a.txt b.txt sub/c.txt sub/deep/d.txt")]
    [InlineData("s?b/c.txt", "", "sub/c.txt")]
    [InlineData("versions/{latest}/*", "", "versions/10.0.1/new")]
    public void Paths_globs_and_schemes_find_files_in_ordinal_order(string text, string scheme, string expected)
    {
        foreach (string name in new[] { "b.txt", "a.txt", "sub/c.txt", "sub/deep/d.txt", "versions/9.0.0/old", "versions/10.0.1/new", "versions/10.0.1-rc.1/rc" })
        {
            _folder.Write(name, name);
        }

        var finding = Resolve(text, out var found);

        Assert.Null(finding);
        Assert.Equal(scheme, found!.Scheme);
        Assert.Equal(expected.Split(' '), found.Files.Select(f => Path.GetRelativePath(_folder.Path, f.Path)));
    }

    [Fact]
    public void Links_to_other_folders_are_followed_and_those_that_lead_back_are_not()
    {
        _folder.Write("data/a.txt", "a");
        _folder.Write("data/sub/b.txt", "b");
        _folder.Write("elsewhere/c.txt", "c");
        Directory.CreateSymbolicLink(_folder["data/sub/up"], "..");
        Directory.CreateSymbolicLink(_folder["data/self"], ".");
        Directory.CreateSymbolicLink(_folder["data/other"], "../elsewhere");
        Directory.CreateSymbolicLink(_folder["elsewhere/back"], "../data");

        Assert.Null(Resolve("data/**/*.txt", out var found));

        Assert.Equal(["data/a.txt", "data/other/c.txt", "data/sub/b.txt"], found!.Files.Select(f => Path.GetRelativePath(_folder.Path, f.Path)));
    }

    [Fact]
    public void The_documentation_of_the_installed_SDK_has_a_name()
    {
        var finding = Resolve("framework-docs", out var found);

        Assert.Null(finding);
        Assert.Equal("framework-docs", found!.Scheme);
        Assert.Contains(found.Files, f => Path.GetFileName(f.Path) == "System.Runtime.xml");
    }

    [Fact]
    public void A_name_may_stand_for_no_file()
    {
        var finding = Resolve("bytes", out var found);

        Assert.Null(finding);
        Assert.Equal("bytes", found!.Scheme);
        Assert.Empty(found.Files);
    }

    [Fact]
    public void Where_no_file_is_there_the_finding_says_where_it_looked()
    {
        var finding = Resolve("text:missing/*.txt", out _);

        Assert.Equal("SCAL3005", finding!.Code);
        Assert.Contains(_folder["missing/*.txt"], finding.Message);
        Assert.Equal(new SourceLocation("p.yaml", 3, 4), finding.Location);
    }

    private Diagnostic? Resolve(string text, out ResolvedFiles? found) =>
        new FileSets(_folder.Path, _store).Resolve("corpus", text, Declared, new SourceLocation("p.yaml", 3, 4), out found);
}
