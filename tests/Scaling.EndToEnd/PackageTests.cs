// What is in the packages, and what a stranger makes of the template with them alone.
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

[Collection("packages")]
public sealed class PackageTests(PackedFeed feed) : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Packing_the_repository_gives_exactly_these_packages() => Assert.Equal(
        new[] { "Scaling.Build", "Scaling.Sdk", "Scaling.Stages.Measure", "Scaling.Stages.Train", "Scaling.Templates", "Scaling.TestKit", "dotnet-scaling" }.Select(id => $"{id}.{feed.Version}"),
        feed.Packages.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_package_is_small_and_tells_its_licence_and_how_to_use_it() => Assert.All(feed.Packages, package =>
    {
        Assert.InRange(new FileInfo(package.Value).Length, 1, (package.Key.StartsWith("dotnet-scaling.", StringComparison.Ordinal) ? 32 : 20) * MiB); // The tool comes twice: as assemblies, and compiled to a program.
        using var archive = ZipFile.OpenRead(package.Value);
        var metadata = Nuspec(archive);
        Assert.Equal("MIT", Text(metadata, "license"));
        Assert.NotEqual("", Text(metadata, "tags"));
        Assert.True(archive.GetEntry(Text(metadata, "readme"))!.Length > 100, $"{package.Key} has no readme worth the name");
        Assert.DoesNotContain(archive.Entries, e => e.Name.Contains("libtorch", StringComparison.OrdinalIgnoreCase) || e.Name.EndsWith(".so", StringComparison.Ordinal));
        Assert.InRange(archive.Entries.Where(e => e.Name.EndsWith(".pdb", StringComparison.Ordinal)).Sum(e => e.CompressedLength), 0, MiB / 2);
    });

    [Fact]
    public void The_tool_has_the_light_stages_inside_and_descriptions_of_the_others()
    {
        using var tool = feed.Open("dotnet-scaling");
        var plugins = tool.Entries.Where(e => e.FullName.Contains("/plugins/", StringComparison.Ordinal)).GroupBy(e => e.FullName.Split('/')[4]).ToDictionary(g => g.Key, g => g.Select(e => e.Name).ToArray());

        Assert.Equal(["export", "extrapolate", "fit", "measure", "search", "sweep", "train"], plugins.Keys.Order(StringComparer.Ordinal));
        foreach (var (type, files) in plugins)
        {
            if (type is "train" or "measure")
            {
                Assert.Equal(["plugin.json"], files);
            }
            else
            {
                Assert.Contains($"Scaling.Stages.{char.ToUpperInvariant(type[0])}{type[1..]}.dll", files);
            }
        }

        Assert.DoesNotContain(tool.Entries, e => e.Name.EndsWith(".xml", StringComparison.Ordinal) && e.Name is not ("DotnetToolSettings.xml" or "[Content_Types].xml"));
        Assert.DoesNotContain(tool.Entries, e => e.Name == "native.json");
    }

    [Fact]
    public void What_is_packed_is_what_was_built_byte_by_byte()
    {
        string built = Path.GetDirectoryName(Tool.Program)!;
        using var tool = feed.Open("dotnet-scaling");
        var assemblies = tool.Entries.Where(e => e.Name.EndsWith(".dll", StringComparison.Ordinal)).ToArray();
        Assert.True(assemblies.Length > 20);
        Assert.All(assemblies, entry => Assert.Equal(Digest(File.ReadAllBytes(Path.Combine(built, entry.FullName["tools/net10.0/any/".Length..]))), Digest(Bytes(entry))));
        foreach (string type in new[] { "Train", "Measure" })
        {
            using var stage = feed.Open($"Scaling.Stages.{type}");
            var own = stage.Entries.Where(e => e.Name.EndsWith(".dll", StringComparison.Ordinal)).ToArray();
            Assert.Equal(["Scaling.Architectures.dll", $"Scaling.Stages.{type}.dll", "Scaling.Torch.dll"], own.Select(e => e.Name).Order(StringComparer.Ordinal));
            Assert.All(own, entry => Assert.Equal(Digest(File.ReadAllBytes(Path.Combine(built, "plugins", type.ToLowerInvariant(), entry.Name))), Digest(Bytes(entry))));
        }
    }

    [Theory]
    [InlineData("Train")]
    [InlineData("Measure")]
    public void A_stage_that_needs_Torch_depends_on_exactly_what_its_assemblies_come_from(string type)
    {
        using var stage = feed.Open($"Scaling.Stages.{type}");
        var dependencies = Nuspec(stage).Descendants().Where(e => e.Name.LocalName == "dependency").ToDictionary(d => d.Attribute("id")!.Value, d => d.Attribute("version")!.Value);
        Assert.Equal(feed.Version, dependencies["Scaling.Sdk"]);
        Assert.All(dependencies.Where(d => d.Key != "Scaling.Sdk"), d => Assert.Matches(@"^\[[0-9.]+\]$", d.Value));

        // Each assembly of the built plugin is in the package or belongs to a dependency.
        string folder = Path.Combine(Path.GetDirectoryName(Tool.Program)!, "plugins", type.ToLowerInvariant());
        var libraries = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, $"Scaling.Stages.{type}.deps.json")))!["libraries"]!.AsObject();
        Assert.All(libraries.Where(l => l.Value!["type"]!.GetValue<string>() == "package" && HasAssembly(folder, l.Key)), library =>
        {
            string[] parts = library.Key.Split('/');
            Assert.Equal($"[{parts[1]}]", dependencies[parts[0]]);
        });

        var natives = JsonNode.Parse(Bytes(stage.GetEntry("lib/net10.0/native.json")!))!["packages"]!.AsArray();
        Assert.NotEmpty(natives);
        Assert.All(natives, package => Assert.Null(package!["folder"]));
    }

    [Fact]
    public void The_description_of_a_stage_holds_the_digests_of_the_assemblies_that_its_package_has()
    {
        using var tool = feed.Open("dotnet-scaling");
        using var stage = feed.Open("Scaling.Stages.Train");
        var description = JsonNode.Parse(Bytes(tool.GetEntry("tools/net10.0/any/plugins/train/plugin.json")!))!;
        Assert.Equal(("Scaling.Stages.Train", feed.Version, "Scaling.Stages.Train.dll"), ((string)description["package"]!, (string)description["version"]!, (string)description["assembly"]!));
        foreach (var entry in stage.Entries.Where(e => e.Name.EndsWith(".dll", StringComparison.Ordinal)))
        {
            Assert.Contains(Digest(Bytes(entry)), description["code"]!.ToJsonString(), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("/", (string)description["natives"]!.AsArray()[0]!["id"]!, StringComparison.Ordinal);
        Assert.All(description["natives"]!.AsArray(), package => Assert.Null(package!["folder"]));
    }

    [Fact]
    public void A_stage_from_the_template_builds_passes_its_tests_and_packs()
    {
        feed.Configure(_folder);
        Succeeds(".", "new", "install", feed.Packages[$"Scaling.Templates.{feed.Version}"]);
        Succeeds(".", "new", "scaling-stage", "-n", "Acme.LossMeans", "-o", "Acme Loss");
        string made = "Acme Loss";
        Assert.Contains("uses: loss-means", File.ReadAllText(_folder[$"{made}/study.yaml"]), StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder[made], "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".slnx", StringComparison.Ordinal)),
            f => f.Contains("Mine", StringComparison.Ordinal) || System.Text.RegularExpressions.Regex.IsMatch(File.ReadAllText(f), "Mine|MINE|mine-type"));
        Assert.Contains($"Include=\"Scaling.Sdk\" Version=\"{feed.Version}\"", File.ReadAllText(_folder[$"{made}/src/Acme.LossMeans.csproj"]), StringComparison.Ordinal);

        string tests = Succeeds(made, "test", "-c", "Release");
        Assert.Matches(@"Passed: +1[0-9]", tests);
        Succeeds(made, "pack", "-c", "Release", "--no-build");

        using var package = ZipFile.OpenRead(_folder[$"{made}/packages/Acme.LossMeans.1.0.0.nupkg"]);
        var metadata = Nuspec(package);
        Assert.Equal("dotnet-scaling-plugin", Text(metadata, "tags"));
        Assert.Equal(feed.Version, metadata.Descendants().Single(e => e.Name.LocalName == "dependency").Attribute("version")!.Value);
        Assert.Equal(["Acme.LossMeans.dll"], package.Entries.Select(e => e.Name).Where(n => n.EndsWith(".dll", StringComparison.Ordinal)));
    }

    private string Succeeds(string where, params string[] arguments)
    {
        var ended = PackedFeed.Dotnet(_folder, where, arguments);
        Assert.True(ended.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{ended.Output}{ended.Error}");
        return ended.Output;
    }

    private static bool HasAssembly(string folder, string library) => Directory.EnumerateFiles(folder, "*.dll").Any(f => Path.GetFileNameWithoutExtension(f).Equals(library.Split('/')[0], StringComparison.OrdinalIgnoreCase));

    private static XElement Nuspec(ZipArchive package)
    {
        using var stream = package.Entries.Single(e => e.FullName == e.Name && e.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream).Root!.Elements().Single(e => e.Name.LocalName == "metadata");
    }

    private static string Text(XElement metadata, string name) => metadata.Elements().SingleOrDefault(e => e.Name.LocalName == name)?.Value ?? "";

    private static byte[] Bytes(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
