// The remote cache of a run: brings entries into the store, gives what was published, and is never a reason to fail.
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Scaling.Engine.Execution;
using Scaling.Engine.Store;

namespace Scaling.Remote;

/// <summary>What became of entries that were pushed.</summary>
/// <param name="Given">Uploaded.</param>
/// <param name="There">Were there already, whole.</param>
/// <param name="Gone">Are not in the store.</param>
/// <param name="Failed">Could not be uploaded.</param>
public sealed record PushSummary(int Given, int There, int Gone, int Failed)
{
    /// <summary>Not given, since this writer's signature would say that it executed what came unsigned from a remote.</summary>
    public int Withheld { get; init; }
}

/// <summary>A remote cache.</summary>
public sealed class RemoteEntries : IRemoteEntries, IDisposable
{
    private readonly RemoteSettings _settings;
    private readonly ContentStore _store;
    private readonly StoreExchange _exchange;
    private readonly TimeProvider _time;
    private readonly IRemoteObjects _objects;
    private readonly RemoteTelling _telling;
    private readonly Tries _reading;
    private readonly Tries _writing;
    private readonly Moving _incoming;
    private readonly Moving _outgoing;
    private readonly Lazy<string> _incomingPath;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentBag<Task> _giving = [];
    /// <summary>Entries that are given at once: what waits for its turn holds no manifest in memory.</summary>
    private readonly SemaphoreSlim _turns;
    private readonly Room _room;
    private readonly ConcurrentDictionary<string, Lazy<Task>> _blobs = new(StringComparer.Ordinal);
    private int _brought;
    private int _given;
    private int _notGiven;
    private int _withheld;
    private string? _lastFailure;

    private RemoteEntries(RemoteSettings settings, ContentStore store, IRemoteObserver observer, TimeProvider time, IRemoteObjects objects)
    {
        (_settings, _store, _exchange, _time, _objects) = (settings, store, new StoreExchange(store), time, objects);
        _telling = new RemoteTelling(observer);
        _reading = new Tries(settings, time, what => Gone("read from", what, "What it has is executed here."));
        _writing = new Tries(settings, time, what => Gone("given to", what, "What is published stays in the store; 'dotnet scaling cache push' gives it later."));
        _incoming = new Moving(true, observer, time);
        _outgoing = new Moving(false, observer, time);
        _turns = new SemaphoreSlim(settings.Parallel);
        _room = new Room(store.Root);
        _incomingPath = new Lazy<string>(() => _exchange.IncomingPath);
    }

    /// <summary>The address as it may be shown.</summary>
    public string Address => _settings.Address.AbsoluteUri.TrimEnd('/');

    /// <summary>Entries that came, and were published in the store.</summary>
    public int Brought => _brought;

    /// <summary>Entries that were uploaded.</summary>
    public int Given => _given;

    /// <summary>Whether requests of that direction failed so often that no more are made.</summary>
    /// <param name="reading">Reading; else writing.</param>
    public bool IsGone(bool reading) => (reading ? _reading : _writing).AreOver;

    /// <summary>Opens a remote; nothing is asked of it yet.</summary>
    /// <param name="settings">Where and how.</param>
    /// <param name="store">The store that it fills and is filled from.</param>
    /// <param name="observer">Takes what is said.</param>
    /// <param name="time">The clock of waits. Default: the system's.</param>
    /// <exception cref="RemoteUsageException">SCAL1040: S3 cannot be used as it is set up.</exception>
    public static RemoteEntries Open(RemoteSettings settings, ContentStore store, IRemoteObserver observer, TimeProvider? time = null) =>
        new(settings, store, observer, time ?? TimeProvider.System, settings.Address.Scheme == "s3" ? OpenS3(settings) : new HttpObjects(settings));

    /// <inheritdoc/>
    public async Task Bring(IReadOnlyCollection<string> keys, CancellationToken cancel)
    {
        if (!_settings.MayRead || _reading.AreOver || keys.Count == 0)
        {
            return;
        }

        if (_settings.TrustedKeys is null)
        {
            _telling.Once("SCAL4035", $"Entries from {Address} are believed whoever wrote them: their digests are checked, their writers are not.", "SCALING_TRUSTED_KEYS names the public keys of writers; 'dotnet scaling cache keygen' makes a pair.");
        }

        _incoming.Wanted(0, 0);
        try
        {
            await Parallel.ForEachAsync(keys, Side(cancel), async (key, one) => await BringOne(key, one).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // What came is there; who asked sees in the store what did not.
        }
    }

    /// <summary>How many of these keys the remote has an entry of that would be taken. Where trusted keys are named each is read and its signature looked at, refusals told; else it is only asked for. Large files are not looked at.</summary>
    /// <param name="keys">Any.</param>
    /// <param name="stop">Stops asking.</param>
    public async Task<int> CountThere(IReadOnlyCollection<string> keys, CancellationToken stop)
    {
        int there = 0;
        if (!_settings.MayRead)
        {
            return 0;
        }

        await Parallel.ForEachAsync(keys, Side(stop), async (key, one) =>
        {
            if (_settings.TrustedKeys is null ? await Asked("ac/" + key, _reading, one).ConfigureAwait(false) is not null : await IsTaken(key, one).ConfigureAwait(false))
            {
                Interlocked.Increment(ref there);
            }
        }).ConfigureAwait(false);
        return there;
    }

    /// <inheritdoc/>
    public void Give(string key)
    {
        if (_settings.MayWrite)
        {
            WarnUnsigned();
            _giving.Add(Task.Run(() => GiveOne(key, looksFirst: false, _ending.Token)));
        }
    }

    /// <summary>Waits until what was given is there, and says what was not.</summary>
    /// <param name="stop">Ends uploads; what is not there then is said too.</param>
    public async Task Finish(CancellationToken stop)
    {
        await using (stop.Register(_ending.Cancel).ConfigureAwait(false))
        {
            await Task.WhenAll(_giving).ConfigureAwait(false);
        }

        if (_notGiven > 0)
        {
            _telling.Once("SCAL4036", $"{_notGiven} of {_notGiven + _given} published entries were not given to {Address}{(_lastFailure is null ? ", as it was stopped" : $": {_lastFailure}")}.", "'dotnet scaling cache push PIPELINE' does it later.");
        }

        if (_withheld > 0)
        {
            _telling.Once(
                "SCAL4041", $"{(_withheld == 1 ? "1 entry was" : $"{_withheld} entries were")} not given to {Address}: unsigned ones that came from a remote, or tables of such rows. Your signature would say that you executed them.",
                "Whoever executed them gives them signed. 'dotnet scaling run --force' executes them here.");
        }

        _telling.Conclude();
    }

    /// <summary>Gives entries of the store, those that are there already left alone; where nothing may be read, all of them.</summary>
    /// <param name="keys">Of entries.</param>
    /// <param name="stop">Stops giving.</param>
    public async Task<PushSummary> Push(IReadOnlyCollection<string> keys, CancellationToken stop)
    {
        WarnUnsigned();
        int there = 0;
        int gone = 0;
        int failed = 0;
        await Parallel.ForEachAsync(keys, Side(stop), async (key, one) =>
        {
            switch (await GiveOne(key, looksFirst: _settings.MayRead, one).ConfigureAwait(false))
            {
                case Gift.Failed:
                    Interlocked.Increment(ref failed);
                    break;
                case Gift.Gone:
                    Interlocked.Increment(ref gone);
                    break;
                case Gift.There:
                    Interlocked.Increment(ref there);
                    break;
            }
        }).ConfigureAwait(false);
        return new PushSummary(_given, there, gone, failed) { Withheld = _withheld };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ending.Cancel();
        _objects.Dispose();
        _reading.Dispose();
        _writing.Dispose();
        _turns.Dispose();
        _ending.Dispose();
    }

    /// <summary>Apart, so that the AWS SDK is loaded where it is asked for and nowhere else.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static S3Objects OpenS3(RemoteSettings settings) => new(settings, Environment.GetEnvironmentVariable);

    private ParallelOptions Side(CancellationToken stop) => new() { MaxDegreeOfParallelism = _settings.Parallel, CancellationToken = stop };

    private void Gone(string done, string what, string then) =>
        _telling.Once(done[0] == 'r' ? "SCAL4030" : "SCAL4037", $"The remote cache {Address} is not {done} any more in this run: {what}.", then);

    private void WarnUnsigned()
    {
        if (_settings is { SigningKey: null, TrustedKeys: not null })
        {
            _telling.Once("SCAL4038", "Entries are given unsigned, and whoever trusts the keys of SCALING_TRUSTED_KEYS alone will refuse them.", "SCALING_SIGNING_KEY names the writer's private key.");
        }
    }

    private async Task BringOne(string key, CancellationToken stop)
    {
        try
        {
            byte[]? body = await Body("ac/" + key, stop).ConfigureAwait(false);
            if (body is null)
            {
                return;
            }

            var entry = RemoteEntry.Read(body, key, _settings.TrustedKeys);
            if (entry.Manifest is not { } manifest)
            {
                Refuse(key, entry);
                return;
            }

            var missing = manifest.Files.Where(f => !_exchange.Has(f)).DistinctBy(f => f.Sha256).ToArray();
            using var taken = _room.TryTake(missing.Sum(f => (decimal)f.Bytes)); // The sizes are a stranger's: without a limit an endless body would fill the disk.
            if (taken is null)
            {
                TellOfNoRoom(key, manifest, missing);
                return;
            }

            _incoming.Wanted(1, missing.Sum(f => f.Bytes));
            await Parallel.ForEachAsync(missing, Side(stop), async (file, one) => await BringBlob(file, taken, one).ConfigureAwait(false)).ConfigureAwait(false);
            _exchange.Accept(manifest, entry.Json, new Origin(entry.Signature?.ToString()));
            _reading.Succeeded();
            Interlocked.Increment(ref _brought);
            _incoming.Done();
        }
        catch (WrongThereException e)
        {
            Damaged(key, e.Message);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Another of its files failed first, and that was told.
        }
        catch (RemoteFailure e)
        {
            if (!_reading.AreOver)
            {
                _telling.Warn("SCAL4039", $"The entry {key[..12]} was not brought from {Address}: {e.Message}.", "It is executed here.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _telling.Warn("SCAL4039", $"The entry {key[..12]} was not brought from {Address}: the store takes no file ({e.Message}).", "It is executed here.");
        }
    }

    private void Refuse(string key, RemoteEntry entry)
    {
        string again = $"It is executed here{(_settings.MayWrite ? " and given anew" : "")}.";
        switch (entry.Verdict)
        {
            case Verdict.Unsigned:
                _telling.Warn("SCAL4032", $"The entry {key[..12]} from {Address} is not signed, and was refused. {again}", "Its writer needs SCALING_SIGNING_KEY.");
                break;
            case Verdict.Foreign:
                _telling.Warn("SCAL4033", $"The entry {key[..12]} from {Address} was signed by the unknown key {entry.Why}, and was refused. {again}", "If you trust that writer, put the public key into SCALING_TRUSTED_KEYS.");
                break;
            case Verdict.Forged:
                _telling.Warn("SCAL4034", $"The entry {key[..12]} from {Address} was refused: {entry.Why}. {again}", "Somebody, or something, wrote there what no trusted writer gave.");
                break;
            case Verdict.Alien:
                Damaged(key, entry.Why!);
                _reading.Failed($"it answered with entries that are none ({entry.Why})");
                return;
            default:
                Damaged(key, entry.Why!); // No reason to ask for no other: the server answers.
                break;
        }

        _reading.Succeeded();
    }

    /// <summary>Whether an entry would be taken, as far as it and its signature tell.</summary>
    private async Task<bool> IsTaken(string key, CancellationToken stop)
    {
        try
        {
            if (await Body("ac/" + key, stop).ConfigureAwait(false) is not { } body)
            {
                return false;
            }

            var entry = RemoteEntry.Read(body, key, _settings.TrustedKeys);
            if (entry.Manifest is null)
            {
                Refuse(key, entry);
            }

            return entry.Manifest is not null;
        }
        catch (RemoteFailure)
        {
            return false;
        }
    }

    private void Damaged(string key, string why) =>
        _telling.Warn("SCAL4031", $"The entry {key[..12]} from {Address} is damaged: {why}. It is executed here{(_settings.MayWrite ? " and given anew" : "")}.", "If it happens again, look at the server.");

    private void TellOfNoRoom(string key, Manifest manifest, StoredFile[] missing) =>
        _telling.Warn("SCAL4039", FormattableString.Invariant($"The entry {key[..12]} ({manifest.Stage}) was not brought from {Address}: its files take {missing.Sum(f => (decimal)f.Bytes):0} bytes, and the store's disk has not so many."), "It is executed here.");

    /// <summary>A whole small object; null where there is none.</summary>
    private async Task<byte[]?> Body(string name, CancellationToken stop)
    {
        byte[]? body = await _reading.Run(async silence =>
        {
            using var stream = await _objects.Open(name, silence.Token).ConfigureAwait(false);
            if (stream is null)
            {
                return null;
            }

            using var whole = new MemoryStream();
            await Read(stream, silence, RemoteEntry.LongestBody, (bytes, _) =>
            {
                whole.Write(bytes.Span);
                return ValueTask.CompletedTask;
            }).ConfigureAwait(false);
            return whole.ToArray();
        }, stop).ConfigureAwait(false);
        if (body is null)
        {
            _reading.Succeeded();
        }

        return body;
    }

    /// <summary>A file of an entry, once, however many entries have it.</summary>
    private async Task BringBlob(StoredFile file, TakenRoom room, CancellationToken stop)
    {
        string aside = Path.Combine(_incomingPath.Value, Guid.NewGuid().ToString("N"));
        long came = 0;
        try
        {
            await _reading.Run(async silence =>
            {
                using var stream = await _objects.Open("cas/" + file.Sha256, silence.Token).ConfigureAwait(false) ?? throw new WrongThereException($"its file {file.ResultName} is not there");
                room.Fill(-came); // What an earlier try wrote is written over.
                came = 0;
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                long length;
                await using (var into = new FileStream(aside, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 }))
                {
                    length = await Read(stream, silence, file.Bytes, async (bytes, token) =>
                    {
                        hash.AppendData(bytes.Span);
                        await into.WriteAsync(bytes, token).ConfigureAwait(false);
                        came += bytes.Length;
                        room.Fill(bytes.Length);
                    }).ConfigureAwait(false);
                }

                if (length < file.Bytes)
                {
                    throw new RemoteFailure(FailureKind.Passing, $"its file {file.ResultName} ended after {length} of {file.Bytes} bytes");
                }

                if (length > file.Bytes || Convert.ToHexStringLower(hash.GetHashAndReset()) != file.Sha256)
                {
                    throw new WrongThereException($"its file {file.ResultName} has other bytes than its digest says");
                }

                return true;
            }, stop).ConfigureAwait(false);
            _exchange.Accept(aside, file);
            _reading.Succeeded();
        }
        finally
        {
            File.Delete(aside);
        }
    }

    /// <summary>Copies until the end, or until one byte more than expected came; the count of bytes.</summary>
    private async Task<long> Read(Stream stream, Silence silence, long most, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> take)
    {
        byte[] buffer = new byte[1 << 16];
        long length = 0;
        while (length <= most)
        {
            int read;
            try
            {
                read = await stream.ReadAsync(buffer, silence.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or HttpRequestException or InvalidOperationException)
            {
                throw HttpObjects.Passing(e);
            }

            if (read == 0)
            {
                break;
            }

            silence.Broken();
            length += read;
            _incoming.Bytes(read);
            await take(buffer.AsMemory(0, read), silence.Token).ConfigureAwait(false);
        }

        return length;
    }

    /// <summary>What became of an entry that was to be given.</summary>
    private enum Gift
    {
        Given,
        There,
        Gone,
        Withheld,
        Failed,
    }

    /// <summary>
    /// Whether this writer may give an entry under its key. Trust belongs to who executed: what came from a remote goes on with its writer's signature or, unsigned, not at all; a table that was joined here is worth what its rows are.
    /// </summary>
    private bool MayGive(Manifest manifest, Origin? origin) =>
        _settings.SigningKey is null || (origin is not null ? origin.Signature is not null : new StoredEntry(manifest, 0).Members.All(row => _exchange.Text(row) is var (json, from) && (from is null || IsBelieved(json, from))));

    private bool IsBelieved(byte[] json, Origin origin) =>
        origin.Signature is { } line && EntrySignature.Read(System.Text.Encoding.ASCII.GetBytes(line)) is { } signature
        && (_settings.SigningKey!.Signed(json, signature) || (_settings.TrustedKeys is { } trusted && trusted.Has(signature.KeyId) && trusted.Verify(signature.KeyId, json, signature.Signature)));

    /// <summary>Gives an entry: its files first, so that what names them is never there without them.</summary>
    private async Task<Gift> GiveOne(string key, bool looksFirst, CancellationToken stop)
    {
        bool inTurn = false;
        try
        {
            await _turns.WaitAsync(stop).ConfigureAwait(false);
            inTurn = true;
            if (_exchange.Take(key) is not var (manifest, json, origin))
            {
                return Gift.Gone;
            }

            if (!MayGive(manifest, origin))
            {
                Interlocked.Increment(ref _withheld);
                return Gift.Withheld;
            }

            byte[]? passedOn = origin?.Signature is { } line ? System.Text.Encoding.ASCII.GetBytes(line + "\n") : null;

            if (_writing.AreOver)
            {
                throw new RemoteFailure(FailureKind.Refused, "it is not given anything any more");
            }

            var blobs = manifest.Files.Where(f => f.Inline is null).DistinctBy(f => f.Sha256).ToArray();
            _outgoing.Wanted(1, blobs.Sum(b => b.Bytes));
            if (looksFirst && await IsThere(key, json, passedOn, blobs, stop).ConfigureAwait(false))
            {
                _outgoing.Done();
                return Gift.There;
            }

            await Parallel.ForEachAsync(blobs, Side(stop), async (blob, _) => await GiveBlob(blob, looksFirst, stop).ConfigureAwait(false)).ConfigureAwait(false);
            byte[] body = RemoteEntry.Write(manifest, json, passedOn ?? _settings.SigningKey?.Sign(json));
            await Put("ac/" + key, () => new MemoryStream(body), stop).ConfigureAwait(false);
            Interlocked.Increment(ref _given);
            _outgoing.Done();
            return Gift.Given;
        }
        catch (Exception e) when (e is RemoteFailure or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            _lastFailure = e is OperationCanceledException ? _lastFailure : e is RemoteFailure && _writing.AreOver ? _lastFailure ?? e.Message : e.Message;
            Interlocked.Increment(ref _notGiven);
            return Gift.Failed;
        }
        finally
        {
            if (inTurn)
            {
                _turns.Release();
            }
        }
    }

    /// <summary>Whether the very entry is there with its files and signature, so that whoever trusts that takes it.</summary>
    private async Task<bool> IsThere(string key, byte[] json, byte[]? passedOn, StoredFile[] blobs, CancellationToken stop)
    {
        byte[]? body = await Body("ac/" + key, stop).ConfigureAwait(false);
        if (body is null || !RemoteEntry.IsOf(body, json, passedOn, _settings.SigningKey))
        {
            return false;
        }

        foreach (var blob in blobs)
        {
            if (await Asked("cas/" + blob.Sha256, _writing, stop).ConfigureAwait(false) is not { } size || (size >= 0 && size != blob.Bytes))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Once, however many entries have it.</summary>
    private async Task GiveBlob(StoredFile blob, bool looksFirst, CancellationToken stop)
    {
        try
        {
            await _blobs.GetOrAdd(blob.Sha256, _ => new Lazy<Task>(() => GiveBlobOnce(blob, looksFirst, stop))).Value.ConfigureAwait(false);
        }
        catch
        {
            _blobs.TryRemove(blob.Sha256, out _);
            throw;
        }
    }

    /// <summary>What was just made is given without a look: where it was made because what is there is damaged, a size would not tell.</summary>
    private async Task GiveBlobOnce(StoredFile blob, bool looksFirst, CancellationToken stop)
    {
        if (!looksFirst || await Asked("cas/" + blob.Sha256, _writing, stop).ConfigureAwait(false) is not { } size || (size >= 0 && size != blob.Bytes))
        {
            await Put("cas/" + blob.Sha256, () => new FileStream(_store.ContentPath(blob)!, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1), stop).ConfigureAwait(false);
        }
    }

    /// <summary>An object's size; null where there is none, or where the server does not tell.</summary>
    private async Task<long?> Asked(string name, Tries tries, CancellationToken stop)
    {
        try
        {
            long? size = await tries.Run(silence => _objects.Size(name, silence.Token), stop).ConfigureAwait(false);
            tries.Succeeded();
            return size;
        }
        catch (RemoteFailure)
        {
            return null;
        }
    }

    private async Task Put(string name, Func<Stream> open, CancellationToken stop)
    {
        await _writing.Run(async silence =>
        {
            await using var content = new SentStream(open(), bytes =>
            {
                silence.Broken();
                _outgoing.Bytes(bytes);
            });
            await _objects.Put(name, content, silence.Token).ConfigureAwait(false);
            return true;
        }, stop).ConfigureAwait(false);
        _writing.Succeeded();
    }

    /// <summary>Something there is not what it should be; another try would give the same.</summary>
    private sealed class WrongThereException(string message) : Exception(message);

    /// <summary>Counts what moves in one direction.</summary>
    private sealed class Moving(bool incoming, IRemoteObserver observer, TimeProvider time)
    {
        private readonly Lock _counting = new();
        private Transfer _all = new(incoming, 0, 0, 0, 0, 0);
        private long _began;

        public void Wanted(int entries, long bytes) => Change(all => all with { OfEntries = all.OfEntries + entries, OfBytes = all.OfBytes + bytes });

        public void Done() => Change(all => all with { Entries = all.Entries + 1 });

        public void Bytes(int count) => Change(all => all with { Bytes = all.Bytes + count });

        private void Change(Func<Transfer, Transfer> change)
        {
            Transfer now;
            lock (_counting)
            {
                _began = _began == 0 ? time.GetTimestamp() : _began;
                _all = change(_all) with { Seconds = time.GetElapsedTime(_began).TotalSeconds };
                now = _all;
            }

            observer.Moved(now);
        }
    }
}
