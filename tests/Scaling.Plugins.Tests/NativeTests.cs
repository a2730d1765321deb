// Native packages, which are used where NuGet installs them.
using Scaling.Sdk;

namespace Scaling.Plugins.Tests;

public sealed class NativeTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_meta_package_brings_all_its_parts()
    {
        _place.Add(
            new Nupkg("Torch-cuda-linux", "1.0.0").Needs("torch-part1", "[2.0.0]").Needs("torch-part2", "[2.0.0]"),
            Part("torch-part1", "2.0.0").Needs("torch-part1-fragment1", "[2.0.0]"), Part("torch-part1-fragment1", "2.0.0"), Part("torch-part2", "2.0.0"), Part("torch-part2", "2.1.0"));
        using var sources = _place.Open();

        var natives = await sources.Natives(new PackageRequest("Torch-cuda-linux", "1.0.0"), null, default);

        Assert.Equal(["Torch-cuda-linux 1.0.0", "torch-part1 2.0.0", "torch-part1-fragment1 2.0.0", "torch-part2 2.0.0"], natives.Select(n => $"{n}"));
        Assert.All(natives.Skip(1), n => Assert.True(File.Exists(Path.Combine(n.Folder, "runtimes", "linux-x64", "native", $"lib{n.Id}.so"))));
        Assert.Equal(natives, await sources.Exactly([.. natives.Select(n => n.Locked)], default));
    }

    [Fact]
    public async Task A_package_with_managed_assemblies_comes_alone()
    {
        _place.Add(Part("Sharp", "1.0.0").With("lib/net8.0/Sharp.dll", Nupkg.Assembly("Sharp", "1.0.0.0")).Needs("Lib", "1.0.0"), Nupkg.Library("Lib", "1.0.0"));
        using var sources = _place.Open();

        Assert.Equal("Sharp 1.0.0", $"{Assert.Single(await sources.Natives(new PackageRequest("Sharp", "1.0.0"), null, default))}");
    }

    [Fact]
    public async Task The_content_hash_of_native_json_is_demanded()
    {
        _place.Add(Part("torch", "1.0.0"));
        using var sources = _place.Open();

        Assert.Equal("SCAL6120", (await Assert.ThrowsAsync<StageFailedException>(() => sources.Natives(new PackageRequest("torch", "1.0.0"), Convert.ToBase64String(new byte[64]), default))).Diagnostics[0].Code);
        Assert.False(Directory.Exists(Path.Combine(_place.Global, "torch")));
        Assert.Equal("SCAL6101", (await Assert.ThrowsAsync<StageFailedException>(() => sources.Natives(new PackageRequest("torch", "1.*"), null, default))).Diagnostics[0].Code);
        Assert.Equal("SCAL6102", (await Assert.ThrowsAsync<StageFailedException>(() => sources.Natives(new PackageRequest("torhc", "1.0.0"), null, default))).Diagnostics[0].Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_native_package_whose_files_were_damaged_is_installed_again(bool missing)
    {
        _place.Add(Part("torch", "1.0.0"));
        using var sources = _place.Open();
        var before = await sources.Natives(new PackageRequest("torch", "1.0.0"), null, default);
        string library = Path.Combine(before[0].Folder, "runtimes", "linux-x64", "native", "libtorch.so");
        if (missing)
        {
            File.Delete(library);
        }
        else
        {
            File.AppendAllText(library, "x");
        }

        Directory.Delete(_place.Feed, recursive: true);
        var after = await sources.Exactly([before[0].Locked], default);

        Assert.Equal(before[0].Sha512, after[0].Sha512);
        Assert.Equal("a library", File.ReadAllText(library));
        Assert.Equal("SCAL6145", Assert.Single(_place.Heard.Warnings).Code);
        Assert.Empty(await sources.Verify([before[0].Locked], default));
    }

    private static Nupkg Part(string id, string version) => new Nupkg(id, version).With($"runtimes/linux-x64/native/lib{id}.so", "a library");
}
