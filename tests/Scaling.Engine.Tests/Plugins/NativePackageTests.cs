// native.json: which packages a stage's settings ask for, and what is no such file.
using System.Text.Json.Nodes;
using Scaling.Engine.Plugins;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Plugins;

public sealed class NativePackageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Packages_are_read_in_the_order_of_their_ids_with_what_is_known_of_them()
    {
        Directory.CreateDirectory(_folder["here"]);
        string path = _folder.Write("native.json", $$$"""
            {"packages":[
              {"id":"zlib","version":"1.0.0","sha512":"abc=","folder":"{{{_folder["here"]}}}"},
              {"id":"Zlib-large","version":"2.0.0","when":{"size":"large"}},
              {"id":"Zlib","version":"3.0.0","sha512":"def=","folder":"{{{_folder["gone"]}}}"}]}
            """);

        var packages = NativePackage.ReadFile(path);

        Assert.Equal(["Zlib 3.0.0", "Zlib-large 2.0.0", "zlib 1.0.0"], packages.Select(p => p.ToString()));
        Assert.Equal([null, null, _folder["here"]], packages.Select(p => p.Folder)); // One that is not there any more is not known to be anywhere.
        Assert.Equal(["def=", null, "abc="], packages.Select(p => p.Sha512));
        Assert.Empty(NativePackage.ReadFile(_folder["none.json"]));
    }

    [Theory]
    [InlineData("{}", """{"device":"cpu"}""", true)]
    [InlineData("""{"device":"cpu"}""", """{"device":"cpu"}""", true)]
    [InlineData("""{"device":"cuda"}""", """{"device":"cpu"}""", false)]
    [InlineData("""{"device":"cuda"}""", "{}", false)]
    [InlineData("""{"device":"cuda","trainer":null}""", """{"device":"cuda"}""", true)]
    [InlineData("""{"device":"cuda","trainer":null}""", """{"device":"cuda","trainer":{"command":["x"]}}""", false)]
    [InlineData("""{"engine":["torch",null]}""", "{}", true)]
    [InlineData("""{"engine":["torch",null]}""", """{"engine":"torch"}""", true)]
    [InlineData("""{"engine":["torch",null]}""", """{"engine":"vllm"}""", false)]
    [InlineData("""{"workload.batch":8,"exact":true}""", """{"workload":{"batch":8},"exact":true}""", true)]
    [InlineData("""{"workload.batch":8,"exact":true}""", """{"workload":{"batch":9},"exact":true}""", false)]
    public void A_package_is_for_settings_that_have_all_the_values_it_asks_for(string when, string settings, bool needed)
    {
        var package = new NativePackage("p", "1.0.0", null, null) { When = JsonNode.Parse(when)!.AsObject() };

        Assert.Equal(needed, package.IsFor(JsonNode.Parse(settings)!.AsObject()));
    }

    [Theory]
    [InlineData("[]", "there is no list 'packages'")]
    [InlineData("""{"packages":[7]}""", "packages[0] is no object")]
    [InlineData("""{"packages":[{"id":"a","version":"1"},{"id":"b"}]}""", "packages[1] has no 'version'")]
    [InlineData("""{"packages":[{"id":"a","version":1}]}""", "packages[0] has a 'version' that is no text")]
    [InlineData("""{"packages":[{"id":"a","version":"1","when":"cuda"}]}""", "packages[0] has a 'when' that is no object")]
    [InlineData("{", "")]
    public void What_is_no_list_of_packages_is_told_with_the_place(string text, string wrong)
    {
        string path = _folder.Write("native.json", text);

        var finding = Assert.Throws<StageFailedException>(() => NativePackage.ReadFile(path)).Diagnostics[0];

        Assert.Equal("SCAL6150", finding.Code);
        Assert.StartsWith($"{path} is no list of native packages: {wrong}", finding.Message);
    }
}
