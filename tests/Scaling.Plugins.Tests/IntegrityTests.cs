// Packages that are not what they should be.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NuGet.Common;
using NuGet.Packaging.Signing;
using Scaling.Engine.Locks;
using Scaling.Sdk;
using Scaling.TestKit;
using HashAlgorithmName = System.Security.Cryptography.HashAlgorithmName;

namespace Scaling.Plugins.Tests;

public sealed class IntegrityTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task A_lock_gives_exactly_its_packages_from_a_feed_that_has_newer_ones()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "[1.0.0,2.0.0)"), Nupkg.Library("Lib", "1.5.0"));
        var closure = await _place.Resolve("Hello", "1.*");
        Directory.Delete(_place.Global, recursive: true);
        _place.Add(Nupkg.Library("Lib", "1.0.0"), Nupkg.Plugin("Hello", "1.1.0"));

        var locked = await Locked("Hello", "1.0.0", closure.Locked);
        var floating = await Locked("Hello", "1.*", closure.Locked, allowFloating: true);

        Assert.Equal(closure.Locked, locked.Locked);
        Assert.Equal(closure.Locked, floating.Locked);
        Assert.Equal(closure.Contract, locked.Contract);
    }

    [Fact]
    public async Task A_package_with_other_bytes_than_the_locked_one_is_refused_and_not_installed()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");
        Directory.Delete(_place.Global, recursive: true);
        Nupkg.Tamper(Path.Combine(_place.Feed, "Hello.1.0.0.nupkg"), "lib/net10.0/Hello.dll", "other bytes");

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => Locked("Hello", "1.0.0", closure.Locked));

        Assert.Equal("SCAL6120", failure.Diagnostics[0].Code);
        Assert.Contains(closure.Plugin.Sha512, failure.Message);
        Assert.Contains(_place.Feed, failure.Message);
        Assert.False(Directory.Exists(Path.Combine(_place.Global, "hello", "1.0.0")));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_place.Cache, "downloads")));
    }

    [Fact]
    public async Task An_installed_package_with_other_bytes_than_the_locked_one_is_refused()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => Locked("Hello", "1.0.0", [closure.Locked[0] with { Sha512 = Convert.ToBase64String(new byte[64]) }]));

        Assert.Equal("SCAL6120", failure.Diagnostics[0].Code);
        Assert.Contains("installed from", failure.Message);
    }

    [Fact]
    public async Task A_lock_that_does_not_cover_the_request_says_what_it_lacks()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0"), Nupkg.Library("Lib", "1.0.0"), Nupkg.Library("Lib", "0.9.0"), Nupkg.Plugin("Old", "1.0.0").Needs("Lib", "0.9.0"));
        var (closure, old) = (await _place.Resolve("Hello", "1.0.0"), await _place.Resolve("Old", "1.0.0"));
        var text = new List<string>();
        foreach (var (id, version, locked) in new (string, string, LockedPackage[])[]
        {
            ("Hello", "1.*", [.. closure.Locked]), ("Other", "1.0.0", [.. closure.Locked]), ("Hello", "1.0.1", [.. closure.Locked]), ("Hello", "1.0.0", [closure.Locked[0]]),
            ("Hello", "1.0.0", [closure.Locked[0], old.Locked[1]]), ("Hello", "1.0.0", [closure.Locked[0] with { Sha512 = "" }]), ("Hello", "1.0.0", [closure.Locked[0], new("Gone", "1.0.0", "x")]),
        })
        {
            text.Add((await Assert.ThrowsAsync<StageFailedException>(() => Locked(id, version, locked))).Message);
        }

        await Snapshot.Match(string.Join("\n\n", text));
    }

    [Theory]
    [InlineData("no archive at all")]
    [InlineData("empty archive")]
    public async Task A_broken_package_is_named_with_its_source(string kind)
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");
        Directory.Delete(_place.Global, recursive: true);
        string path = Path.Combine(_place.Feed, "Hello.1.0.0.nupkg");
        File.Delete(path);
        if (kind == "empty archive")
        {
            System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Create).Dispose();
        }
        else
        {
            File.WriteAllText(path, "<html>Sign in</html>");
        }

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => Locked("Hello", "1.0.0", closure.Locked));

        Assert.Equal("SCAL6121", failure.Diagnostics[0].Code);
        Assert.Contains("Hello", failure.Message);
        Assert.Contains("folder", failure.Message);
        Assert.False(Directory.Exists(Path.Combine(_place.Global, "hello", "1.0.0")));
    }

    [Fact]
    public async Task A_package_that_was_changed_after_it_was_installed_is_refused()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));
        await _place.Resolve("Hello", "1.0.0");
        // Long enough for the proof to be remembered; a younger change could share its time stamp with another.
        await Task.Delay(200);
        await _place.Resolve("Hello", "1.0.0");
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(_place.Cache, "packages")));
        Nupkg.Tamper(Path.Combine(_place.Global, "hello", "1.0.0", "hello.1.0.0.nupkg"), "lib/net10.0/Hello.dll", "other bytes");

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => _place.Resolve("Hello", "1.0.0"));

        Assert.Equal("SCAL6124", failure.Diagnostics[0].Code);
    }

    [Fact]
    public async Task A_layout_is_made_from_the_archive_and_not_from_extracted_files()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");
        File.WriteAllText(Path.Combine(_place.Global, "hello", "1.0.0", "lib", "net10.0", "Hello.dll"), "other bytes");

        Assert.Equal(Nupkg.Assembly("Hello", "1.0.0.0").Length, new FileInfo((await _place.LayOut(closure)).Assembly).Length);
    }

    [Fact]
    public async Task Verifying_finds_what_differs_and_fetches_nothing()
    {
        _place.Add(Nupkg.Plugin("Hello", "1.0.0").Needs("Lib", "1.0.0").Needs("Gone", "1.0.0").Needs("Good", "1.0.0"), Nupkg.Library("Lib", "1.0.0"), Nupkg.Library("Gone", "1.0.0"), Nupkg.Library("Good", "1.0.0"));
        var closure = await _place.Resolve("Hello", "1.0.0");
        using var sources = _place.Open();
        Assert.Empty(await sources.Verify(closure.Locked, default));

        Directory.Delete(Path.Combine(_place.Global, "gone"), recursive: true);
        byte[] library = File.ReadAllBytes(Path.Combine(_place.Global, "lib", "1.0.0", "lib", "net8.0", "Lib.dll"));
        library[100] ^= 1;
        File.WriteAllBytes(Path.Combine(_place.Global, "lib", "1.0.0", "lib", "net8.0", "Lib.dll"), library);
        Nupkg.Tamper(Path.Combine(_place.Global, "hello", "1.0.0", "hello.1.0.0.nupkg"), "lib/net10.0/Hello.dll", "other bytes");
        var findings = await sources.Verify(closure.Locked, default);

        Assert.Equal(["SCAL6120", "SCAL6142", "SCAL6124"], findings.Select(f => f.Code));
        Assert.Contains("Lib.dll has other bytes", findings[2].Message);
        Assert.Equal(4, _place.Heard.InstalledPackages.Count);
    }

    [Fact]
    public async Task A_signature_is_reported_and_proved()
    {
        string signed = Sign(Nupkg.Plugin("Hello", "1.0.0").Into(_place.Folder["unsigned"]));
        _place.Add(Nupkg.Plugin("Plain", "1.0.0"));

        var plugin = (await _place.Resolve("Hello", "1.0.0")).Plugin;

        Assert.Equal(SignatureKind.Author, plugin.Signature.Kind);
        Assert.Equal("signed by its author A test author", $"{plugin.Signature}");
        Assert.Equal(64, plugin.Signature.Fingerprint!.Length);
        Assert.Equal("unsigned", $"{(await _place.Resolve("Plain", "1.0.0")).Plugin.Signature}");
        Assert.True(File.Exists(signed));
    }

    [Fact]
    public async Task A_signed_package_with_other_bytes_is_refused_always()
    {
        string signed = Sign(Nupkg.Plugin("Hello", "1.0.0").Into(_place.Folder["unsigned"]));
        byte[] bytes = File.ReadAllBytes(signed);
        // A byte of the assembly's compressed content, which lies after the first local header.
        int header = bytes.AsSpan().IndexOf("Hello.dll"u8);
        bytes[header + 60] ^= 1;
        File.WriteAllBytes(signed, bytes);

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => _place.Resolve("Hello", "1.0.0"));

        Assert.Equal("SCAL6122", failure.Diagnostics[0].Code);
        Assert.False(Directory.Exists(Path.Combine(_place.Global, "hello", "1.0.0")));
    }

    [Fact]
    public async Task Where_nuget_config_demands_trusted_signers_an_unsigned_package_is_refused()
    {
        _place.Settings = "<add key=\"signatureValidationMode\" value=\"require\" />";
        _place.Add(Nupkg.Plugin("Hello", "1.0.0"));

        var failure = await Assert.ThrowsAsync<StageFailedException>(() => _place.Resolve("Hello", "1.0.0"));

        Assert.Equal("SCAL6123", failure.Diagnostics[0].Code);
        Assert.Contains("not signed", failure.Message);
    }

    private async Task<PluginClosure> Locked(string id, string version, IReadOnlyList<LockedPackage> locked, bool allowFloating = false)
    {
        using var sources = _place.Open();
        return await sources.Locked(new PackageRequest(id, version), locked, default, allowFloating);
    }

    /// <summary>Signs a package into the feed with a certificate of its own making.</summary>
    private string Sign(string package)
    {
        using var key = RSA.Create(2048);
        var certificate = new CertificateRequest("CN=A test author", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        {
            CertificateExtensions = { new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], critical: true), new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true), new X509SubjectKeyIdentifierExtension(new PublicKey(key), false) },
        };
        using var self = certificate.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        string signed = Path.Combine(_place.Feed, Path.GetFileName(package));
        X509TrustStore.InitializeForDotNetSdk(NullLogger.Instance);
        using var request = new AuthorSignPackageRequest(new X509Certificate2(self), NuGet.Common.HashAlgorithmName.SHA256);
        using var options = SigningOptions.CreateFromFilePaths(package, signed, overwrite: true, new X509SignatureProvider(null), NullLogger.Instance);
        SigningUtility.SignAsync(options, request, default).GetAwaiter().GetResult();
        return signed;
    }
}
